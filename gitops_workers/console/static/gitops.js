/* Keeps a page fresh: the same address is read again and the part that lives is exchanged. Works without, too. */
(function () {
    "use strict";

    var page = document.getElementById("gitops-page"),
        seconds = Number(page.dataset.refresh),
        form = document.querySelector(".gitops-filter");

    if (form) {
        form.addEventListener("change", function () {
            form.requestSubmit();
        });
        form.addEventListener("submit", function () {
            // An address that says only what was chosen is one that can be read and passed on.
            form.querySelectorAll("input, select").forEach(function (field) {
                field.disabled = field.value === "";
            });
        });
    }

    function exchange(text) {
        var fresh = new DOMParser().parseFromString(text, "text/html"),
            live = document.getElementById("gitops-live"),
            next = fresh.getElementById("gitops-live"),
            clock = fresh.getElementById("gitops-refreshed"),
            open = [];

        if (!next) {
            throw new Error("not this page");
        }
        live.querySelectorAll("details[open]").forEach(function (details) {
            open.push(details.dataset.key);
        });
        next.querySelectorAll("details").forEach(function (details) {
            details.open = open.includes(details.dataset.key);
        });
        live.replaceWith(next);
        if (clock) {
            document.getElementById("gitops-refreshed").textContent = clock.textContent;
        }
    }

    function show(works) {
        var dot = document.getElementById("gitops-dot");
        if (dot) {
            dot.className = "status-dot " + (works ? "status-dot-live" : "status-dot-error");
        }
    }

    function refresh() {
        var reading = window.getSelection().toString() !== "";
        if (document.hidden || reading) {
            return;
        }
        fetch(window.location.href, {credentials: "same-origin", cache: "no-store"}).then(function (answer) {
            if (!answer.ok) {
                throw new Error(answer.status);
            }
            return answer.text();
        }).then(exchange).then(function () {
            show(true);
        }).catch(function () {
            show(false);
        });
    }

    if (seconds > 0) {
        window.setInterval(refresh, seconds * 1000);
    }
}());
