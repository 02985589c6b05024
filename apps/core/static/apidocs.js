/** Start Swagger UI in #api-docs. Requests that write carry the page's CSRF token, as the session needs it. */
(() => {
  const host = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    domNode: host,
    url: host.dataset.schemaUrl,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
    requestInterceptor: (request) => {
      const own = new URL(request.url, location.href).origin === location.origin;
      if (own && !["GET", "HEAD"].includes(request.method ?? "GET")) request.headers["X-CSRFToken"] = host.dataset.csrfToken;
      return request;
    },
  });
})();
