"""What a person may demand of their data: to be forgotten, and to be told what there is."""
