import { startUploads } from "./uploads.js";

startUploads();
