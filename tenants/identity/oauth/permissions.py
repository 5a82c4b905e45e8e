"""What a caller may be allowed with apps: registering them, connecting them, and disconnecting them."""

from tenants.access.permissions import permission

READ_CLIENTS = permission("oauth-clients:read", "See which apps are registered")
CREATE_CLIENTS = permission("oauth-clients:create", "Register apps", people_only=True, step_up=True)
EDIT_CLIENTS = permission("oauth-clients:edit", "Change registered apps", people_only=True, step_up=True)
DELETE_CLIENTS = permission("oauth-clients:delete", "Delete registered apps", people_only=True, step_up=True)
READ_CONNECTED = permission("connected-apps:read", "See which apps are connected")
CONNECT = permission("connected-apps:create", "Connect apps that then act as oneself", people_only=True)
DISCONNECT = permission("connected-apps:delete", "Disconnect apps", people_only=True, always=True)
