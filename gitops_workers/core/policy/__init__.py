"""Policy: what an application may do, by its AppProject and by the rules of the engine.

What may be in it: functions that allow or refuse; whatever no rule allows is refused.
"""
