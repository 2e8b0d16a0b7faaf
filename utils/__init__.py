"""The small library that the chapters import; README.md says what stands where."""
