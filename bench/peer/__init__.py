"""The ordinary way to build a multi-tenant CRM in Python: django-tenants and Django REST framework."""
