"""What the WSGI server loads: `wsgi:app`."""

from crm.app import create_app
from tenants.foundation.settings import Settings

app = create_app(Settings.read())
