/* On Flower's task pages the id of an application is a link to its own page. */
(function () {
    "use strict";

    var id = /\b(?:application|kustomization|helmrelease)\/[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*/,
        field = document.getElementById("url_prefix"),
        prefix = field ? field.value.replace(/^\/+|\/+$/g, "") : "",
        content = document.getElementById("main-content");

    function link(text) {
        var found = id.exec(text.data), rest, anchor;
        if (!found) {
            return;
        }
        rest = text.splitText(found.index);
        rest.splitText(found[0].length);
        anchor = document.createElement("a");
        anchor.href = (prefix ? "/" + prefix : "") + "/application/" + found[0];
        anchor.textContent = found[0];
        rest.replaceWith(anchor);
    }

    function look() {
        content.querySelectorAll("td, dd").forEach(function (cell) {
            if (!cell.querySelector("a")) {
                Array.from(cell.childNodes).forEach(function (node) {
                    if (node.nodeType === Node.TEXT_NODE) {
                        link(node);
                    }
                });
            }
        });
    }

    new MutationObserver(look).observe(content, {childList: true, subtree: true});
    look();
}());
