"""How AWS's registrar presents itself to the world."""

NAME = "Amazon Registrar, Inc."
IANA_ID = "468"
WHOIS_SERVER = "whois.registrar.amazon"
URL = "https://registrar.amazon.com"
ABUSE_EMAIL = "trustandsafety@support.aws.com"
ABUSE_PHONE = "+1.2024422253"
