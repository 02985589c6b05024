// Signs in, links the storage account, uploads a package, makes a pool with it, submits 250 tasks and reads what each
// has written. `node crowd.mjs ENDPOINT STORAGE PACKAGE`, with the authority of the certificate in NODE_EXTRA_CA_CERTS.
// Prints the outputs as JSON.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { BatchManagementClient } = require("@azure/arm-batch");
const { BatchServiceClient, BatchSharedKeyCredentials } = require("@azure/batch");
const { ClientSecretCredential } = require("@azure/identity");
const { BlockBlobClient } = require("@azure/storage-blob");

const TASKS = 250;
const [endpoint, storageAccountId, file] = process.argv.slice(2);
const [, , subscription, , group] = storageAccountId.split("/");
const account = "local";

const credential = new ClientSecretCredential(
  "11111111-1111-1111-1111-111111111111",
  "33333333-3333-3333-3333-333333333333",
  "secret",
  { authorityHost: endpoint, disableInstanceDiscovery: true },
);
const management = new BatchManagementClient(credential, subscription, {
  endpoint,
  credentialScopes: "https://management.azure.com/.default",
});

await management.batchAccountOperations.update(group, account, { autoStorage: { storageAccountId } });
await management.applicationOperations.create(group, account, "shout");
const made = await management.applicationPackageOperations.create(group, account, "shout", "1.0");
await new BlockBlobClient(made.storageUrl).uploadFile(file);
await management.applicationPackageOperations.activate(group, account, "shout", "1.0", { format: "zip" });

const { primary } = await management.batchAccountOperations.getKeys(group, account);
const batch = new BatchServiceClient(new BatchSharedKeyCredentials(account, primary), endpoint);
await batch.pool.add({
  id: "script-crowd",
  vmSize: "standard_d2s_v3",
  virtualMachineConfiguration: {
    imageReference: { publisher: "canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" },
    nodeAgentSKUId: "batch.node.ubuntu 24.04",
  },
  targetDedicatedNodes: 2,
  taskSlotsPerNode: 4,
  applicationPackageReferences: [{ applicationId: "shout", version: "1.0" }],
});
await batch.job.add({ id: "script-crowd", poolInfo: { poolId: "script-crowd" } });
const tasks = Array.from({ length: TASKS }, (_, number) => ({
  id: `t${number}`,
  commandLine: `/bin/sh -c 'sh $AZ_BATCH_APP_PACKAGE_shout_1_0/shout.sh voice-${number}'`,
}));
for (let first = 0; first < TASKS; first += 100) {
  await batch.task.addCollection("script-crowd", tasks.slice(first, first + 100));
}
const deadline = Date.now() + 120_000;
while ((await batch.job.getTaskCounts("script-crowd")).taskCounts.completed < TASKS) {
  if (Date.now() > deadline) throw new Error("the tasks did not end in time");
  await new Promise((resolve) => setTimeout(resolve, 200));
}

async function output(task) {
  const answer = await batch.file.getFromTask("script-crowd", task, "stdout.txt");
  const parts = [];
  for await (const part of answer.readableStreamBody) parts.push(part);
  return Buffer.concat(parts).toString();
}

const written = [];
for (const { id } of tasks) written.push(await output(id));
await batch.job.deleteMethod("script-crowd");
await batch.pool.deleteMethod("script-crowd");
console.log(JSON.stringify(written));
