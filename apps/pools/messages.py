"""The words for this app's codes."""

from django.utils.translation import gettext_lazy as _

_RULES = {
    "pool-json-no-object": _("This is not a JSON object. Paste the document of one pool, from { to }."),
    "pool-json-invalid": _("This is not JSON: %(problem)s in line %(line)s, column %(column)s."),
    "pool-extra-no-object": _("Enter a JSON object, from { to }."),
    "pool-number-invalid": _("A whole number."),
    "pool-json-long": _("This is too long: a document has at most %(most)s characters."),
    "pool-refused": _("Some of this breaks a rule of the service."),
    "pool-service-refuses": _(
        "The service refuses this: %(message)s (code %(service_code)s, request id %(request_id)s)"
    ),
    "pool-json-shape": _("Something in this document has the wrong shape, for example a list where an object belongs."),
    "pool-id-missing": _("Give the pool an ID."),
    "pool-id-invalid": _("An ID has at most 64 letters, digits, hyphens and underscores."),
    "pool-id-taken": _("A pool with this ID exists. IDs are compared without regard to case."),
    "pool-name-long": _("A display name has at most 1,024 characters."),
    "pool-cloud-services-retired": _(
        "Cloud Services pools were retired on 29 February 2024: the service takes none. Describe the machines in "
        "virtualMachineConfiguration: an image and the node agent SKU that fits it."
    ),
    "pool-property-unknown": _("A new pool has no property %(name)s."),
    "pool-fixed-with-auto-scale": _("Leave this empty: with automatic scaling the formula decides."),
    "pool-auto-scale-off": _("This goes with automatic scaling alone."),
    "pool-formula-missing": _("Enter a formula."),
    "pool-formula-long": _("A formula has at most %(most)s characters."),
    "pool-interval-invalid": _("Between 5 minutes and 168 hours."),
    "pool-target-invalid": _("A whole number from 0."),
    "pool-timeout-short": _("At least 5 minutes."),
    "pool-slots-invalid": _("From 1 to %(most)s: at most four for each vCPU of the size, and 256."),
    "pool-slots-inter-node": _(
        "Multi-instance tasks run only on pools with one task slot per node: with more of them they stay waiting."
    ),
    "pool-fill-invalid": _("Choose spread or pack."),
    "pool-inter-node-many": _("With inter-node communication a pool has at most %(most)s nodes."),
    "pool-packages-many": _("A pool refers to at most %(most)s application packages."),
    "pool-package-no-application": _("Choose an application."),
    "pool-package-twice": _("%(application)s with this version is in the list twice."),
    "pool-package-unknown-application": _("There is no application %(application)s with an active package."),
    "pool-package-unknown-version": _("%(application)s has no active package %(version)s."),
    "pool-package-no-default": _("%(application)s has no default version: choose one."),
    "pool-metadata-no-name": _("Metadata needs a name."),
    "pool-metadata-twice": _("There is another entry named %(name)s."),
    "pool-image-missing": _("Choose an image."),
    "pool-image-unknown": _("The service does not support this image. Choose one from the list."),
    "pool-image-unverified": _("This image is not verified: nobody tested it with Batch."),
    "pool-image-over": _("Batch ended its support for this image on %(date)s: the service makes no pool from it."),
    "pool-image-ends": _("Batch ends its support for this image on %(date)s. After that, no pool can be made from it."),
    "pool-image-id-invalid": _("Enter the whole resource ID, beginning with a slash."),
    "pool-image-needs-entra": _(
        "Images of a compute gallery need Microsoft Entra ID; this account is connected by shared key."
    ),
    "pool-agent-missing": _("Choose the node agent that fits the image's operating system."),
    "pool-agent-unknown": _("The service has no node agent %(agent)s."),
    "pool-agent-unfit": _("This image needs the node agent %(agent)s."),
    "pool-size-missing": _("Choose a VM size."),
    "pool-size-unchecked": _("The list of sizes is not known here, so this size is checked by the service alone."),
    "pool-size-unknown": _("Batch offers no size %(size)s in this region."),
    "pool-size-over": _("Batch ended its support for %(size)s on %(date)s."),
    "pool-size-ends": _("Batch ends its support for %(size)s on %(date)s."),
    "pool-size-no-spot": _("%(size)s does not come as Spot nodes."),
    "pool-size-processor": _("Image and size %(size)s are for different processors (x64 and Arm64)."),
    "pool-disk-lun": _("A logical unit number from 0 to 63."),
    "pool-disk-lun-twice": _("Another disk has this logical unit number."),
    "pool-disk-size": _("The size in GB, from 1."),
    "pool-container-type": _("Choose Docker or a CRI-compatible runtime."),
    "pool-container-image": _("This image has no container runtime. Choose one with the capability DockerCompatible."),
    "pool-registry-credentials": _("A registry needs user name and password."),
    "pool-subnet-invalid": _(
        "A subnet's resource ID looks like /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/"
        "virtualNetworks/…/subnets/…"
    ),
    "pool-subnet-needs-entra": _(
        "A virtual network needs Microsoft Entra ID; this account is connected by shared key."
    ),
    "pool-addresses-kind": _("Choose where public addresses come from."),
    "pool-addresses-missing": _("Enter the resource IDs of your public addresses."),
    "pool-addresses-unused": _("Own addresses are used only where they are chosen above."),
    "pool-addresses-few": _("%(nodes)s nodes need %(needed)s addresses: one serves at most 100 nodes."),
    "pool-nat-many": _("At most %(most)s inbound NAT pools."),
    "pool-nat-name": _("A name has at most 77 letters, digits, underscores, dots and hyphens."),
    "pool-nat-name-twice": _("Another inbound NAT pool has this name."),
    "pool-nat-protocol": _("Choose TCP or UDP."),
    "pool-nat-backend": _("A port from 1 to 65535, except 29876 and 29877, which the node agent uses."),
    "pool-nat-frontend": _("A port from 1 to 65534."),
    "pool-nat-range": _("The range needs at least %(least)s ports, and ends at 65534."),
    "pool-nat-reserved": _("Ports 50000 to 55000 are the service's own."),
    "pool-nat-overlap": _("This range overlaps another one."),
    "pool-mounts-many": _("At most %(most)s mounts."),
    "pool-mount-kind": _("Each mount is of exactly one kind."),
    "pool-mount-part": _("This is needed for this kind of mount."),
    "pool-mount-path": _("A path relative to the mounts directory, without a slash in front."),
    "pool-mount-credential": _("Give exactly one: account key, SAS or identity."),
    "pool-user-name": _("A name with at most %(most)s characters."),
    "pool-user-twice": _("Another account is named %(name)s."),
    "pool-user-password": _("A password is needed."),
    "pool-user-ids": _("User ID and group ID are given both or neither."),
    "start-task-command-missing": _("Enter the command line."),
    "start-task-retries": _("A whole number; -1 tries without end."),
    "start-task-variable-name": _("A variable needs a name."),
    "start-task-long": _(
        "Command line, variables and files together have more than %(most)s characters. Put more into a package."
    ),
    "start-task-identity-both": _("Choose one user."),
    "start-task-identity-unknown": _("The pool has no user account %(name)s."),
    "resource-file-source": _(
        "Give exactly one source: a URL, a container's URL, or a container of the linked storage."
    ),
    "resource-file-path": _("Say under which path the file is put on the node."),
    "resource-file-prefix": _("A prefix goes with containers."),
}
MESSAGES = _RULES | {
    "pool-not-found": _("There is no pool %(pool)s. It may have been deleted, or was made a moment ago: reload."),
    "pool-deallocation-unknown": _("Choose what becomes of running tasks."),
    "pool-confirm-mismatch": _("Type the ID of the pool: %(name)s"),
    "pool-scales-itself": _("%(pool)s scales by a formula. Turn automatic scaling off to set targets."),
    "pool-being-deleted": _("%(pool)s is being deleted."),
    "pool-being-resized": _("%(pool)s is being resized. Wait for its end, or stop the resize."),
    "pool-changed-meanwhile": _(
        "Somebody changed %(pool)s since this page was made. Look at what it has now, then change it again."
    ),
    "pool-auto-scale-often": _(
        "The service takes one change of automatic scaling in 30 seconds. Wait a moment and try again."
    ),
    "pool-formula-refused": _("The service does not take this formula: %(message)s"),
    "pool-resized": _("%(pool)s has %(dedicated)s dedicated and %(spot)s Spot nodes."),
    "pool-resize-short": _(
        "%(pool)s stopped at %(dedicated)s dedicated and %(spot)s Spot nodes: the resize was stopped, or changed."
    ),
    "pool-resize-failed": _(
        "%(pool)s stopped at %(dedicated)s dedicated and %(spot)s Spot nodes: %(service_message)s (%(service_code)s)"
    ),
    "pool-deleted": _("%(pool)s and its nodes are gone."),
    "phase-pool-asking": _("Asking the service"),
    "phase-pool-resizing": _("Adding or removing nodes"),
    "phase-pool-deleting": _("Deleting nodes"),
}
