//! `overlay-demo`: layers united, and what becomes of a file that is changed, deleted or renamed.
