"""Words for everything that Azure answers: what failed, why, and how to put it right at which plane."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "gateway-error": _("Azure did not do what was asked: %(service_message)s (%(service_code)s)."),
    "gateway-not-found": _(
        "Azure does not know this, or no longer: it may have been deleted with another tool. Reload the list."
    ),
    "gateway-subscription-not-found": _(
        "The subscription does not exist or the portal's identity does not see it. Check the subscription ID, and "
        "that the identity has a role in the subscription."
    ),
    "gateway-resource-group-not-found": _("The resource group does not exist in this subscription. Check its name."),
    "gateway-conflict": _("Azure Batch refuses this in the present state: %(service_message)s"),
    "gateway-quota-reached": _(
        "A quota of the Batch account is reached: %(service_message)s Delete what is no longer needed, or ask for "
        "more in the Azure portal under Quotas."
    ),
    "gateway-provider-not-registered": _(
        "The subscription is not registered for Azure Batch. Somebody with the role Contributor on it registers the "
        "resource provider Microsoft.Batch once, in the Azure portal under Subscriptions, Resource providers."
    ),
    "gateway-auto-storage-missing": _(
        "No storage account is linked to the Batch account, so it cannot keep application packages. An "
        "administrator links one on the page Storage account."
    ),
    "gateway-invalid": _("Azure refuses the input: %(service_message)s (%(service_code)s)."),
    "gateway-denied": _("Azure refuses this to the portal's identity: %(service_message)s"),
    "gateway-not-signed-in": _(
        "Azure does not accept the portal's sign-in: %(service_message)s Check tenant and sign-in in the account's "
        "settings, then test the connection."
    ),
    "gateway-sign-in-failed": _(
        "Microsoft Entra ID refused the portal's sign-in: %(service_message)s Check tenant ID, client ID and the "
        "secret or certificate, and whether it has expired."
    ),
    "gateway-identity-unavailable": _(
        "This machine offers no such identity. A managed identity must be assigned to the machine or container the "
        "portal runs on; a workload identity needs its federated token file and environment variables."
    ),
    "gateway-credential-malformed": _(
        "The sign-in details cannot be used. A certificate must be in PEM form with its private key, and the "
        "password must fit."
    ),
    "gateway-management-right-missing": _(
        "The portal's identity has no right to %(action)s at the management plane. Give it the role Azure Batch "
        "Data Contributor for applications, or Azure Batch Account Contributor to manage the account too, under "
        "Access control (IAM) of the Batch account. New roles take some minutes."
    ),
    "gateway-storage-right-missing": _(
        "The portal's identity may change the Batch account but not use this storage account. Give it the role "
        "Storage Account Contributor under Access control (IAM) of the storage account. New roles take some "
        "minutes."
    ),
    "gateway-data-right-missing": _(
        "The portal's identity has no right at the data plane of the Batch account. Give it the role Azure Batch "
        "Data Contributor under Access control (IAM) of the Batch account. New roles take some minutes."
    ),
    "gateway-data-sign-in-refused": _(
        "The data plane refuses the sign-in: with a shared key, the key is wrong or was regenerated, or this "
        "machine's clock is more than 15 minutes off; with Entra ID, the tenant is not the account's."
    ),
    "gateway-shared-key-disabled": _(
        "The Batch account does not allow this way of signing in. Allow it under Authentication mode in the Azure "
        "portal, or connect the account in another way."
    ),
    "gateway-storage-denied": _(
        "Blob storage refuses access to the package: the signature has expired, or the storage account's keys were "
        "rotated. Synchronise the keys on the page Storage account, then try again."
    ),
    "gateway-throttled": _("Azure asks to slow down. Wait a moment and try again."),
    "gateway-unavailable": _("Azure does not answer: no connection could be made, or it broke. Try again in a moment."),
    "gateway-timeout": _("Azure did not answer in time. Try again in a moment."),
    "gateway-service-failed": _(
        "An error inside Azure: %(service_message)s (%(service_code)s). Try again in a moment."
    ),
    "gateway-page-token": _("This page of the list is no longer there. Begin at the first page."),
    "gateway-not-supported": _("The service does not offer this operation: %(service_message)s"),
    "gateway-management-plane-missing": _(
        "This account is connected by shared key, which reaches the data plane alone. Change the sign-in to Entra "
        "ID in the account's settings to manage applications, keys and storage."
    ),
    "gateway-endpoint-unknown": _(
        "The account's Batch endpoint is not known yet. It is read from Azure at the first contact, or entered in "
        "the account's settings."
    ),
    "gateway-endpoint-refused": _(
        "The portal may not connect to %(host)s. An operator admits further hosts with the setting "
        "GATEWAY_ALLOWED_HOSTS."
    ),
    "gateway-endpoint-private": _(
        "%(host)s resolves to a private address, where the portal does not connect. An operator admits single hosts "
        "with the setting GATEWAY_PRIVATE_HOSTS."
    ),
    "gateway-endpoint-scheme": _("The portal connects to %(host)s by https alone."),
    "gateway-endpoint-malformed": _(
        "This is not an address. It looks like: https://myaccount.westeurope.batch.azure.com"
    ),
    "gateway-redirect-refused": _(
        "The address answers with a redirection to somewhere else, which the portal does not follow. Check the address."
    ),
    "storage-unfit-kind": _("Holds no block blobs: link a general-purpose (v2 or v1) or Blob storage account."),
    "storage-unfit-hierarchical-namespace": _("Has a hierarchical namespace, which application packages cannot use."),
    "storage-unfit-firewall": _("Has a firewall: Azure Batch and its compute nodes cannot fetch packages from it."),
    "storage-unfit-no-keys": _("Does not allow access by key, which this link needs."),
}
