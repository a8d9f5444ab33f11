"""What the API answers, as models: the source of the OpenAPI description and of the tests that hold answers against it.

Read models give dictionaries; these are not on the way of an answer.
"""
