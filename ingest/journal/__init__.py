"""The journal: what arrived is kept here, claimed from here, and its state is written nowhere else."""
