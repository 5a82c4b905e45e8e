// The token against forgery goes along with whatever a signed-in browser tries out here.
let csrfToken = null;

async function learnToken() {
  const answer = await fetch("/api/v1/me", { headers: { Accept: "application/json" } });
  if (answer.ok) csrfToken = (await answer.json()).csrf_token;
}

learnToken().finally(() => {
  SwaggerUIBundle({
    url: "/api/v1/openapi.json",
    dom_id: "#api",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (csrfToken) request.headers["X-CSRF-Token"] = csrfToken;
      return request;
    },
  });
});
