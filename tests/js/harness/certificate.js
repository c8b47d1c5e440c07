import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** Makes a certificate for this machine that nobody has signed, and its key; answers both files' paths. */
export async function selfSigned(folder) {
  const [certificate, key] = ["certificate.pem", "key.pem"].map((name) => join(folder, name));
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const how = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "1"];
  await promisify(execFile)("openssl", ["req", "-x509", ...how, ...subject, "-keyout", key, "-out", certificate]);
  return { certificate, key };
}
