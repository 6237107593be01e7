//! That the suite can fail: broken stores are found, tampered logs are found, and the histories reach every answer.

mod broken;
mod every_answer;
mod tampered;
