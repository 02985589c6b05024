// What a program with @azure/batch 10 does. It must be given scheme, host and port alone: it drops the path of its
// endpoint. `node service_client.mjs ENDPOINT ACCOUNT KEY CERTIFICATE THUMBPRINT`. Prints what it saw as JSON.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { BatchServiceClient, BatchSharedKeyCredentials } = require("@azure/batch");

const [endpoint, account, key, certificate, thumbprint] = process.argv.slice(2);
const client = new BatchServiceClient(new BatchSharedKeyCredentials(account, key), endpoint);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function wait(isTrue, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error("it did not happen in time");
    await pause(100);
  }
}

async function all(operations, ...names) {
  const found = [];
  let page = await operations.list(...names);
  found.push(...page);
  while (page.odatanextLink) {
    page = await operations.listNext(page.odatanextLink);
    found.push(...page);
  }
  return found;
}

async function text(answer) {
  const parts = [];
  for await (const part of answer.readableStreamBody) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function addPool(id, publisher, nodes) {
  const images = await client.account.listSupportedImages();
  const { nodeAgentSKUId, imageReference } = images.find(
    (image) => image.imageReference.publisher === publisher && !image.nodeAgentSKUId.includes("arm64"),
  );
  await client.pool.add({
    id,
    vmSize: "standard_d2s_v3",
    virtualMachineConfiguration: { imageReference, nodeAgentSKUId },
    targetDedicatedNodes: nodes,
    taskSlotsPerNode: 2,
  });
  await wait(async () => {
    const found = await all(client.computeNode, id);
    return found.length === nodes && found.every((node) => node.state === "idle");
  });
  return (await all(client.computeNode, id))[0].id;
}

const seen = { images: (await client.account.listSupportedImages()).length > 5 };

const node = await addPool("script", "canonical", 2);
await client.computeNode.addUser("script", node, { name: "operator", isAdmin: true, password: "Passw0rd!23" });
const login = await client.computeNode.getRemoteLoginSettings("script", node);
seen.login = [login.remoteLoginIPAddress, login.remoteLoginPort > 0];
await client.computeNode.deleteUser("script", node, "operator");

await client.job.add({ id: "script", poolInfo: { poolId: "script" } });
const tasks = Array.from({ length: 30 }, (_, number) => ({ id: `t${number}`, commandLine: `/bin/sh -c 'echo ${number}'` }));
const added = await client.task.addCollection("script", tasks);
seen.added = [...new Set(added.value.map((result) => result.status))];
await wait(async () => (await client.job.getTaskCounts("script")).taskCounts.succeeded === 30);
seen.output = await Promise.all(
  ["t0", "t29"].map(async (task) => text(await client.file.getFromTask("script", task, "stdout.txt"))),
);
try {
  await client.pool.get("none");
} catch (error) {
  seen.error = error.body.code;
}

const desktop = await addPool("desktop", "microsoftwindowsserver", 1);
const remote = await text(await client.computeNode.getRemoteDesktop("desktop", desktop));
seen.remoteDesktop = remote.split(":s:")[0];

await client.certificate.add({
  thumbprint,
  thumbprintAlgorithm: "sha1",
  data: certificate,
  certificateFormat: "cer",
});
seen.certificate = [(await client.certificate.get("sha1", thumbprint)).state];
await client.certificate.deleteMethod("sha1", thumbprint);
await wait(async () => (await all(client.certificate)).length === 0);

await client.job.deleteMethod("script");
await client.pool.deleteMethod("script");
await client.pool.deleteMethod("desktop");
await wait(async () => (await all(client.pool)).length === 0);
console.log(JSON.stringify(seen));
