"""What every lesson shows with: one style, `lab()` (controls above what follows them), questions, the banner, and
figures of results, of outputs and of changed conditions. Nothing here belongs to one notebook, and nothing here trains
or decides: it draws what `evidence` says."""
