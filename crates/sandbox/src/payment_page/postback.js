// Tells the page around this one what came of the payment, and no other page.
const told = document.getElementById("postback");
if (told && window.parent !== window) {
  for (const message of JSON.parse(told.dataset.messages)) {
    window.parent.postMessage(message, told.dataset.origin);
  }
}
