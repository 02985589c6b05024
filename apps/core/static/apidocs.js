/** Start Swagger UI in #api-docs. Requests that write carry the page's CSRF token, as the session needs it. */
(() => {
  const host = document.getElementById("api-docs");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  // Swagger UI has a dark mode of its own, by a class; the page's theme may change while it is open.
  function followTheme() {
    const theme = root.dataset.bsTheme ?? (system.matches ? "dark" : "light");
    root.classList.toggle("dark-mode", theme === "dark");
  }
  followTheme();
  system.addEventListener("change", followTheme);
  new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-bs-theme"] });

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
    // The page has its main part already.
    onComplete: () => host.querySelectorAll("main").forEach((part) => part.setAttribute("role", "group")),
    requestInterceptor: (request) => {
      const own = new URL(request.url, location.href).origin === location.origin;
      if (own && !["GET", "HEAD"].includes(request.method ?? "GET")) request.headers["X-CSRFToken"] = host.dataset.csrfToken;
      return request;
    },
  });
})();
