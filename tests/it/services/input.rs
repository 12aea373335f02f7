//! Odd programs and odd files: a clear reason each time, and nothing that runs twice or is lost.
