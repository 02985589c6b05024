"""Words for the codes of nodes: what they refuse, what became of work on them, and what their errors mean."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    # Choosing
    "nodes-none": _("No node is chosen, or those that were are gone by now. Choose at least one."),
    "nodes-too-many": _("At most %(most)s nodes can be chosen at once. Narrow the list by a filter."),
    "nodes-changed": _("Meanwhile %(count)s nodes match instead of %(expected)s. Look again, and confirm."),
    "nodes-all-or-some": _("Name nodes or ask for all, not both."),
    "node-unknown": _("The node %(node)s is not, or no longer, in the pool %(pool)s."),
    "node-action-unknown": _("There is no action %(action)s on nodes."),
    "node-option-unknown": _("%(option)s says nothing about running tasks: use requeue, terminate or taskcompletion."),
    "node-confirm-mismatch": _("Type the number of nodes: %(name)s"),
    # Why a node does not take something
    "node-gone": _("The node is gone: it was removed, or its pool was made smaller."),
    "node-pool-gone": _("The pool of this node was deleted."),
    "node-being-created": _("The node is being created. It takes this once it is idle or running."),
    "node-being-started": _("The node is starting. It takes this once it is idle or running."),
    "node-being-rebooted": _("The node is rebooting. It takes this once it is idle or running."),
    "node-being-reimaged": _("The node is being reimaged. It takes this once it is idle or running."),
    "node-state-unusable": _(
        "The node is unusable, so the service takes nothing for it. Reboot or reimage it, or remove it from the pool."
    ),
    "node-already-there": _("The node was in that state already."),
    "node-pool-resizing": _("The pool is being resized. Nodes can be removed once it is steady."),
    "node-pool-deleting": _("The pool is being deleted."),
    "node-no-login": _(
        "The pool opens no port for remote login. Make a pool with an inbound NAT rule for port 22 (SSH) or 3389 "
        "(RDP), or log in from inside its virtual network."
    ),
    # Ends of operations
    "nodes-acted": _("The service took it for all %(done)s nodes."),
    "nodes-removed": _("All %(done)s nodes are leaving their pools."),
    "nodes-some-failed": _(
        "Done for %(done)s nodes; %(failed)s failed, each with its reason below. Try again repeats only those."
    ),
    "node-user-added": _("The user %(name)s is on %(done)s nodes."),
    "node-user-removed": _("The user %(name)s is gone from %(done)s nodes."),
    "node-user-forgotten": _("The user %(name)s expired or was removed meanwhile. Add it again."),
    "node-user-secret-gone": _("The password of %(name)s is not kept any longer. Add the user again to these nodes."),
    "phase-nodes-asking": _("Asking nodes"),
    "phase-nodes-removing": _("Removing nodes"),
    "phase-nodes-adding-user": _("Adding the user"),
    "phase-nodes-removing-user": _("Removing the user"),
    "phase-nodes-waiting": _("Waiting for nodes that cannot take it yet"),
    # Users
    "node-user-gone": _("The portal knows no user %(name)s on %(pool)s: it expired, or was removed."),
    "node-user-name-missing": _("Enter a name."),
    "node-user-name-linux": _(
        "A name on Linux has up to 32 lower-case letters, digits, - and _, and begins with a letter or _."
    ),
    "node-user-name-windows": _('A name on Windows has up to 20 characters, without " / \\ [ ] : ; | = , + * ? < > @.'),
    "node-user-name-taken": _("%(name)s is a name of the system. Choose another one."),
    "node-user-one-pool": _("A user is added to nodes of one pool at a time. Choose nodes of one pool."),
    "node-user-both": _("Give either a password or an SSH public key."),
    "node-user-neither": _("Give a password or an SSH public key."),
    "node-user-windows-password": _("Windows nodes take a password alone."),
    "node-user-follows-key": _("Only a user with an SSH key can come to new nodes: no password is kept."),
    "node-user-expired": _("This moment has passed. Choose a later one."),
    "node-user-expires-late": _("At most %(days)s days ahead."),
    "node-password-length": _("A password has %(least)s to %(most)s characters."),
    "node-password-unprintable": _("A password has no control characters."),
    "node-password-simple": _("Use three of these: lower-case letters, upper-case letters, digits, other characters."),
    # Files and logs
    "node-file-gone": _("There is no %(path)s on the node, or no longer."),
    "node-file-path": _("A path begins at the node's root directory and has no “..” in it."),
    "node-logs-container": _("A container's name has 3 to 63 lower-case letters, digits and single hyphens."),
    "node-logs-span": _("The end lies after the beginning."),
}
