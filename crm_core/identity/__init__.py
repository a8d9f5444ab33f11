"""What makes two inquiries one person: canonical phones, e-mails and names. Pure; no database, no network.

It reads and compares; it never decides. `crm_core.matching` decides, on keys and verdicts made here.
"""
