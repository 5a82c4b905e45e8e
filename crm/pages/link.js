// Where a mail's link leads. The secret is behind the # and leaves this browser only when the button is pressed.
const PAGES = {
  "invitation": {
    what: "You were invited. Choose a password; you sign in with it from then on.",
    button: "Accept the invitation", password: true, to: "/api/v1/invitations/acceptance",
    done: (said) => `Welcome. You can sign in to ${said.tenant.name} as ${said.email} now.`,
  },
  "password-reset": {
    what: "Choose a new password.",
    button: "Set the password", password: true, to: "/api/v1/password-resets/redemption",
    done: () => "Your password is set. You can sign in with it now.",
  },
  "email-verification": {
    what: "Confirm that this e-mail address is yours.",
    button: "It is mine", to: "/api/v1/email-verifications/redemption",
    done: () => "Thank you, your address is confirmed.",
  },
  "thaw": {
    what: "Wake your workspace: everything in it comes back as it was.",
    button: "Wake it", to: "/api/v1/archives/thaws",
    done: (said) => `${said.tenant} comes back. You can sign in within minutes; open the link again to see how far it is.`,
  },
  "address": {
    what: "Sign in with this e-mail address from now on.",
    button: "Change the address", to: "/api/v1/email-changes",
    done: (said) => `From now on you sign in to ${said.tenant.name} as ${said.email}.`,
  },
};
const page = PAGES[location.pathname.split("/").pop()];
const form = document.querySelector("form");
const button = form.querySelector("button");
const answer = document.querySelector("#answer");
const token = decodeURIComponent(location.hash.slice(1));

document.querySelector("#what").textContent = token ? page.what : "This link is not whole. Copy all of it from the mail.";
button.textContent = page.button;
if (!page.password) form.querySelector(".choosing").remove();
form.hidden = !token;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  const body = { token, ...Object.fromEntries(new FormData(form)) };
  try {
    const got = await fetch(page.to, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    const said = got.status === 204 ? {} : await got.json();
    form.hidden = got.ok;
    answer.textContent = got.ok
      ? page.done(said)
      : [said.detail, ...Object.values(said.errors ?? {}).flat()].filter(Boolean).join(" ") || said.title;
  } catch {
    answer.textContent = "The server can't be reached. Try again in a moment.";
  }
  button.disabled = false;
});
