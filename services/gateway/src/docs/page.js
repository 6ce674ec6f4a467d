// The document needs a caller like everything else, so the page asks for a token first and sends it
// with every request. It is kept for this tab alone.
const door = document.getElementById("door");
const token = document.getElementById("token");
const answer = document.getElementById("answer");

async function show() {
  const authorization = `Bearer ${sessionStorage.getItem("steward-token")}`;
  const response = await fetch("../openapi.json", { headers: { authorization } });
  if (!response.ok) {
    sessionStorage.removeItem("steward-token");
    answer.textContent = response.status === 401 ? "This token is not known." : `The gateway answered ${response.status}.`;
    return;
  }
  answer.textContent = "";
  SwaggerUIBundle({
    spec: await response.json(),
    dom_id: "#api",
    deepLinking: true,
    requestInterceptor: (request) => {
      request.headers.Authorization = authorization;
      return request;
    },
  });
}

door.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("steward-token", token.value.trim());
  token.value = "";
  show();
});

if (sessionStorage.getItem("steward-token")) {
  show();
}
