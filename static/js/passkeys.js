// Passkeys: the form asks the browser for one before it is sent. Without this script it is not shown.
const known = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function answer({ dataset, csrf_token: token }) {
  const response = await fetch(dataset.question, { method: "POST", body: new URLSearchParams({ csrf_token: token.value }) });
  if (!response.ok || response.redirected) return location.reload(); // signed out meanwhile, or to be proven again
  const options = await response.json();
  return dataset.passkey === "make"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

for (const form of known ? document.querySelectorAll("[data-passkey]") : []) {
  const failed = form.querySelector("[data-passkey-failed]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const credential = await answer(form);
      if (!credential) return;
      form.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      failed.hidden = false; // refused, timed out, or there is one already
    }
  });
}
