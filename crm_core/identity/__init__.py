"""What makes two inquiries one person: canonical phones, e-mails and names. Pure; no database, no network.

It reads and compares; it never decides. `crm_core.contacts.rules` decides, on keys and verdicts made here.
"""
