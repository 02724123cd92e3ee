"""The bridge in the process: carries out what `gateway`'s machines ask for, on SQL, the directory and phones."""
