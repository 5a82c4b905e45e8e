"""How certificates of destruction look in JSON."""

from marshmallow import Schema, fields


class CertificateSchema(Schema):
    """A signed certificate, as `freehold certificate verify` reads it from a file."""

    form = fields.String(required=True)
    certificate = fields.Dict(keys=fields.String(), required=True)
    signature = fields.String(required=True, metadata={"description": "Ed25519, in base64."})
    public_key = fields.String(
        required=True, metadata={"description": "In base64; compare it with the published one."}
    )


class CertificatesSchema(Schema):
    """All certificates of a workspace, oldest first."""

    data = fields.List(fields.Nested(CertificateSchema()), required=True)


class CertificateKeySchema(Schema):
    """The public key that certificates are checked with."""

    algorithm = fields.String(required=True)
    public_key = fields.String(required=True)
