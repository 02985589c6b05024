// A CI job that uploads with tus-js-client: address of the uploads, token, metadata as JSON, file.
import { createReadStream, statSync } from "node:fs";
import { Upload } from "tus-js-client";

const [endpoint, token, metadata, path] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

const upload = new Upload(createReadStream(path), {
  endpoint,
  headers,
  metadata: JSON.parse(metadata),
  uploadSize: statSync(path).size,
  chunkSize: 8 * 1024 * 1024,
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: async () => {
    const told = await fetch(upload.url, { method: "HEAD", headers: { ...headers, "Tus-Resumable": "1.0.0" } });
    console.log(told.headers.get("Upload-Operation"));
  },
});
upload.start();
