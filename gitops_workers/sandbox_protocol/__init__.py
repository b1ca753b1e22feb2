"""What a worker and its sandbox children share: the frames that travel between them, and names of files.

What may be in it: code that both sides run, so it imports little and knows neither ports nor adapters.
"""
