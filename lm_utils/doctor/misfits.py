"""The table of misfits between an output activation and a loss: what the doctor says about each."""

LOGITS_OUT = "return self.out(x)  # no activation at the end of forward()"

# (family of the loss, what the model emits): (code, severity, what, why, fix)
MISFITS: dict[tuple[str, str], tuple[str, str, str, str, str]] = {
    ("any", "softmax_over_one"): (
        "softmax_over_one_output", "error", "The softmax runs over a single output.",
        "A softmax over one number is always exactly 1, so the output never changes and no gradient flows.",
        "For one output use a sigmoid inside the loss: return the logit and write `loss_fn = nn.BCEWithLogitsLoss()`."),
    ("cross_entropy", "softmax"): (
        "softmax_before_cross_entropy", "warning",
        "The model ends in a softmax, and {layer} applies a second one.",
        "The second softmax sees only numbers between 0 and 1, so with {classes} classes the loss cannot fall "
        "below {floor:.4f}, gradients shrink and a perfect model looks as if it did not learn.",
        "Return the logits and take the softmax only to read predictions: `{logits_out}`."),
    ("cross_entropy", "sigmoid"): (
        "sigmoid_before_cross_entropy", "warning",
        "The model ends in a sigmoid, and {layer} applies a softmax to its outputs.",
        "The softmax sees only numbers between 0 and 1, so with {classes} classes the loss cannot fall below "
        "{floor:.4f}, and saturated sigmoids pass no gradient.",
        "Return the logits: `{logits_out}`."),
    ("cross_entropy", "unit_range"): (
        "bounded_outputs_before_cross_entropy", "warning",
        "The outputs stay between 0 and 1 however hard the model is pushed, and {layer} expects free logits.",
        "A softmax over such numbers cannot become sure: with {classes} classes the loss stays above {floor:.4f}.",
        "Return the logits, or multiply cosine-like scores by a scale: `return 16.0 * scores`."),
    ("cross_entropy", "probability"): (
        "softmax_before_cross_entropy", "warning",
        "The outputs are a part of a softmax, and {layer} applies another softmax.",
        "The second softmax sees only numbers between 0 and 1, so the loss cannot fall below {floor:.4f}.",
        "Return the logits: `{logits_out}`."),
    ("cross_entropy", "log_softmax"): (
        "log_softmax_before_cross_entropy", "info",
        "The model ends in a log-softmax, and {layer} takes a second one.",
        "It is harmless, because the log-softmax of a log-softmax is itself; it only costs time.",
        "Use one of the two: `loss_fn = nn.NLLLoss()` with the model as it is, or return the logits."),
    ("cross_entropy", "log_of_softmax"): (
        "log_softmax_before_cross_entropy", "info",
        "The model ends in the logarithm of a softmax, and {layer} takes a log-softmax itself.",
        "The value is the same, but log(softmax) is -inf where the softmax rounds to 0.",
        "Return the logits: `{logits_out}`."),
    ("cross_entropy", "relu"): (
        "relu_before_cross_entropy", "warning",
        "The model ends in a ReLU, and {layer} expects logits of either sign.",
        "Every class whose score is negative becomes 0 and passes no gradient; an image whose scores are all "
        "negative teaches nothing.",
        "Return the logits: `{logits_out}`."),
    ("bce_logits", "sigmoid"): (
        "sigmoid_before_bce_logits", "warning",
        "The model ends in a sigmoid, and {layer} applies a second one.",
        "The second sigmoid turns [0, 1] into [0.5, 0.731]: a target of 0 costs at least 0.6931 and a target of "
        "1 at least 0.3133, however good the model is.",
        "Return the logits, `{logits_out}`, or keep the sigmoid and write `loss_fn = nn.BCELoss()`."),
    ("bce_logits", "softmax"): (
        "softmax_before_bce_logits", "warning",
        "The model ends in a softmax, and {layer} applies a sigmoid to it.",
        "The sigmoid turns [0, 1] into [0.5, 0.731], so with {classes} outputs and one true class the loss cannot "
        "fall below {bce_floor:.4f}.",
        "Return the logits, `{logits_out}`; for exclusive classes write `loss_fn = nn.CrossEntropyLoss()`."),
    ("bce_logits", "probability"): (
        "softmax_before_bce_logits", "warning",
        "The outputs are probabilities taken from a softmax, and {layer} applies a sigmoid to them.",
        "The sigmoid turns [0, 1] into [0.5, 0.731], so a target of 0 costs at least 0.6931.",
        "Keep the probabilities and write `loss_fn = nn.BCELoss()`, or return logits."),
    ("bce_logits", "unit_range"): (
        "bounded_outputs_before_bce_logits", "warning",
        "The outputs stay between 0 and 1 however hard the model is pushed, and {layer} expects free logits.",
        "A logit between 0 and 1 means a probability between 0.5 and 0.731.",
        "Return the logits, `{logits_out}`, or write `loss_fn = nn.BCELoss()`."),
    ("bce_logits", "relu"): (
        "relu_before_bce_logits", "error",
        "The model ends in a ReLU, and {layer} expects logits of either sign.",
        "A logit of 0 or more means a probability of 0.5 or more: a clear no can never be said.",
        "Return the logits: `{logits_out}`."),
    ("bce_logits", "softplus"): (
        "relu_before_bce_logits", "error",
        "The model ends in a softplus, and {layer} expects logits of either sign.",
        "A positive logit means a probability above 0.5: no can never be said.",
        "Return the logits: `{logits_out}`."),
    ("bce_logits", "log_softmax"): (
        "log_softmax_before_bce_logits", "error",
        "The model ends in a log-softmax, and {layer} expects logits of either sign.",
        "A log-probability is never positive, so the sigmoid of it never exceeds 0.5: yes can never be said.",
        "Return the logits: `{logits_out}`."),
    ("bce_logits", "log_sigmoid"): (
        "log_sigmoid_before_bce_logits", "error",
        "The model ends in a log-sigmoid, and {layer} expects logits of either sign.",
        "A log-probability is never positive, so the sigmoid of it never exceeds 0.5: yes can never be said.",
        "Return the logits: `{logits_out}`."),
    ("bce", "logits"): (
        "logits_into_bce", "error",
        "{layer} receives numbers that are no probabilities: nothing keeps the outputs between 0 and 1.",
        "Its logarithm needs numbers between 0 and 1; outside it raises an error on the CPU and kills the "
        "process's CUDA context on a GPU.",
        "Let the loss do the sigmoid: `loss_fn = nn.BCEWithLogitsLoss()`."),
    ("bce", "tanh"): (
        "tanh_into_bce", "error",
        "The model ends in a tanh, and {layer} expects probabilities.",
        "A tanh emits numbers down to -1, which are no probabilities.",
        "Use a sigmoid, `return torch.sigmoid(self.out(x))`, or return logits to `nn.BCEWithLogitsLoss()`."),
    ("bce", "relu"): (
        "relu_into_bce", "error",
        "The model ends in a ReLU, and {layer} expects probabilities.",
        "A ReLU emits numbers above 1, where the loss fails, and exact zeros, where it passes no gradient.",
        "Return the logits and write `loss_fn = nn.BCEWithLogitsLoss()`."),
    ("bce", "log_softmax"): (
        "log_probabilities_into_bce", "error",
        "The model emits log-probabilities, and {layer} expects probabilities.",
        "A log-probability is never positive, so it lies outside [0, 1].",
        "Return the logits and write `loss_fn = nn.BCEWithLogitsLoss()`."),
    ("bce", "clamp"): (
        "clamped_logits_into_bce", "warning",
        "The probabilities for {layer} are made by cutting the outputs off, not by a sigmoid.",
        "Wherever the raw output lies outside the cut the gradient is exactly 0, and such a unit never recovers.",
        "Let the loss do the sigmoid: `loss_fn = nn.BCEWithLogitsLoss()` on the raw outputs."),
    ("nll", "softmax"): (
        "nll_on_probabilities", "error",
        "{layer} receives probabilities, and it expects log-probabilities.",
        "It takes no logarithm itself: it returns minus the probability, -0.9 for a sure model, and barely "
        "punishes a confident mistake.",
        "Write `return F.log_softmax(self.out(x), dim=1)`, or return logits to `nn.CrossEntropyLoss()`."),
    ("nll", "logits"): (
        "nll_on_logits", "error",
        "{layer} receives numbers that are no log-probabilities.",
        "Without the normalisation it just pushes the true class's number up for ever: the loss falls towards "
        "minus infinity and nothing is learned about the other classes.",
        "Write `loss_fn = nn.CrossEntropyLoss()`, which takes the log-softmax itself."),
    ("nll", "log_sigmoid"): (
        "nll_not_normalised", "warning",
        "{layer} receives log-sigmoids, which do not compete with each other.",
        "Every class can say yes at once at no cost, so nothing pushes the wrong classes down.",
        "Write `return F.log_softmax(self.out(x), dim=1)`."),
    ("kl_div", "softmax"): (
        "kl_div_on_probabilities", "error",
        "{layer} receives probabilities, and its first argument must be log-probabilities.",
        "Without the logarithm the value is no divergence: it can be negative and its minimum is elsewhere.",
        "Write `F.kl_div(F.log_softmax(logits, dim=1), targets, reduction=\"batchmean\")`."),
    ("kl_div", "logits"): (
        "kl_div_on_logits", "error",
        "{layer} receives numbers that are no log-probabilities.",
        "The loss is then linear in the outputs and falls without end as they grow.",
        "Write `F.kl_div(F.log_softmax(logits, dim=1), targets, reduction=\"batchmean\")`."),
    ("soft_margin", "sigmoid"): (
        "probabilities_into_margin_loss", "warning",
        "{layer} receives probabilities, and it expects scores of either sign.",
        "A score that cannot be negative can never say no, and the loss stays above log(1 + 1/e) = 0.3133.",
        "Return the scores: `{logits_out}`."),
    ("multi_margin", "softmax"): (
        "probabilities_into_margin_loss", "warning",
        "{layer} receives probabilities, and it expects free scores.",
        "A margin of 1 between two probabilities needs exactly 1 and exactly 0, so no image is ever settled.",
        "Return the scores: `{logits_out}`."),
    ("poisson", "exp"): (
        "poisson_rate_taken_as_logarithm", "warning",
        "{layer} takes the outputs as logarithms of the rate (log_input=True), and the model already emits rates.",
        "The loss takes an exponential of what is an exponential already, so no rate below 1 can be reached.",
        "Write `loss_fn = nn.PoissonNLLLoss(log_input=False)`, or return the logarithm."),
}  # fmt: skip

SAME = {
    ("bce", "log_of_softmax"): ("bce", "log_softmax"), ("bce", "log_sigmoid"): ("bce", "log_softmax"),
    ("bce", "log_probability"): ("bce", "log_softmax"),
    ("bce_logits", "log_of_softmax"): ("bce_logits", "log_softmax"),
    ("bce_logits", "log_probability"): ("bce_logits", "log_softmax"),
    ("nll", "sigmoid"): ("nll", "softmax"), ("nll", "unit_range"): ("nll", "softmax"),
    ("nll", "probability"): ("nll", "softmax"), ("kl_div", "probability"): ("kl_div", "softmax"),
    ("kl_div", "sigmoid"): ("kl_div", "softmax"), ("kl_div", "unit_range"): ("kl_div", "softmax"),
    ("soft_margin", "softmax"): ("soft_margin", "sigmoid"),
    ("soft_margin", "probability"): ("soft_margin", "sigmoid"),
    ("soft_margin", "relu"): ("soft_margin", "sigmoid"),
    ("multi_margin", "sigmoid"): ("multi_margin", "softmax"),
    ("poisson", "softplus"): ("poisson", "exp"),
    **{("nll", kind): ("nll", "logits") for kind in ("relu", "tanh", "clamp", "exp", "softplus")},
    **{("kl_div", kind): ("kl_div", "logits") for kind in ("relu", "tanh", "clamp", "exp", "softplus")},
}  # fmt: skip
"""Misfits that read the same as another one."""
