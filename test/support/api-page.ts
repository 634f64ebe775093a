import { adminRoutes } from '../../src/web/api/admin-routes.ts';
import { clientRoutes } from '../../src/web/api/client-routes.ts';
import { openApiOf } from '../../src/web/api/openapi.ts';

/*
 * docs/api.md, made from the OpenAPI documents. `node test/support/api-page.ts` prints it;
 * test/web/api/openapi.unit.test.ts compares it.
 */

interface Parameter {
  name: string;
  in: string;
  required: boolean;
}

interface Form {
  properties: Record<string, unknown>;
  required?: string[];
}

interface Request {
  operationId: string;
  'x-scope'?: string;
  'x-proof'?: string;
  'x-reason'?: string;
  parameters: Parameter[];
  requestBody?: { content: { 'application/json': { schema: Form & { anyOf?: Form[] } } } };
}

const INTRO = `# The API

Made from the OpenAPI 3.1 documents of the two sites, \`/api/openapi.json\` of each, by \`node test/support/api-page.ts\`.
The JSON is what the command line prints with \`--json\`: sats are integers, cash is decimal text, times are ISO 8601 in UTC.
[web.md](web.md) says how tokens are made, [errors.md](errors.md) has every code.

- A token is sent as \`Authorization: Bearer TOKEN\`, to the admin site. A browser sends its session.
- **Lists** have \`limit\` (50, at most 200) and \`cursor\`; \`Link: <…>; rel="next"\` leads on, and is absent at the end.
- **Changes** are sent as one JSON object: amounts as on the command line, \`"3000 GTQ"\`, and \`reason\` for the log. A POST
  marked \`K\` needs an \`Idempotency-Key\`, new for each request: sent again with the same key and body it is not done
  twice and answers the same; with another body the answer is 422.
- **Previews**: \`?preview=true\` does nothing and answers a \`digest\`; the same with that \`digest\` does exactly that, or is
  refused with 412.
- **Settings** have an \`ETag\`; a PATCH needs it as \`If-Match\` (428 without, 412 if they changed).
- **Errors** are \`application/problem+json\` with \`code\`, \`detail\`, \`hint\` and, for a field, \`errors\`: 400 malformed, 401, 403,
  404, 405, 409 another run is going on, 412, 413, 422 a bad value, 428, 429, 503. With \`Retry-After\` a later try may
  succeed.
- \`GET /api/v1/events\` is a stream of server-sent events: \`changed\` each time that something changed.

## Examples

A token with the scopes \`read\`, \`fundings:write\` and \`clients:write\` may do all of this:

<!-- not typed: it needs the sites and a token; test/docs.api.system.test.ts types it -->
\`\`\`sh
api=http://localhost:8092/api/v1
ask() { curl -sS --fail-with-body -w '\\n' -H "Authorization: Bearer $TOKEN" "$@"; }
send() { ask -H 'Content-Type: application/json' "$@"; }
new_key() { echo "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"; }

# What needs somebody, what is owed.
ask $api/status
# The newest ten cash-outs; the header has where to go on.
ask -D - "$api/cash-outs?limit=10"
# All payouts as a file for a spreadsheet.
ask -o payouts.csv "$api/exports/payouts?format=csv"

# Cash on its way. If no answer comes, the same key may be sent again: the cash is entered once.
key=$(new_key)
send -H "$key" -d '{"client":"alice","amount":"3000 GTQ","any_machine":true}' $api/fundings
send -H "$key" -d '{"client":"alice","amount":"3000 GTQ","any_machine":true}' $api/fundings
# It is in the machine. 2,950 were counted.
send -H "$(new_key)" -d '{"counted":"2950 GTQ"}' $api/fundings/f1/confirm

# A setting, only if nobody changed it since it was read.
etag=$(ask -o /dev/null -w '%header{etag}' $api/clients/alice)
send -X PATCH -H "If-Match: $etag" -d '{"paused":true,"reason":"on holiday"}' $api/clients/alice
\`\`\`
`;

/** The text of docs/api.md. */
export function apiPage(): string {
  return [
    INTRO,
    '## The admin site\n',
    'With the scope that a token needs; without one, only people may, and \\* asks them to prove who they are.\n',
    table(openApiOf('admin', adminRoutes), true),
    '\n## The client site\n',
    'The client is that of the session.\n',
    table(openApiOf('client', clientRoutes), false),
  ].join('\n');
}

function table(document: Record<string, unknown>, withScope: boolean): string {
  const head = withScope
    ? ['| request | scope | inputs |', '|---|---|---|']
    : ['| request | inputs |', '|---|---|'];
  const paths = document.paths as Record<string, Record<string, Request>>;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, request]) => {
      const proof = request['x-proof'] ? ' \\*' : '';
      const key = request.parameters.some(({ name, required }) => name === 'Idempotency-Key' && required);
      const said = `\`${method.toUpperCase()} ${path}\`${key ? ' K' : ''}`;
      const scope = `${request['x-scope'] ? `\`${request['x-scope']}\`` : ''}${proof}`;
      return `| ${said} | ${withScope ? `${scope} | ` : ''}${inputsOf(request)} |`;
    }),
  );
  return [...head, ...rows, ''].join('\n');
}

/** The inputs, those that are needed in bold. */
function inputsOf({ parameters, requestBody, 'x-reason': reason }: Request): string {
  const query = parameters
    .filter(({ in: where, name }) => where === 'query' && name !== 'limit' && name !== 'cursor')
    .map(({ name, required }) => (required ? `**${name}**` : name));
  const schema = requestBody?.content['application/json'].schema;
  const forms = schema === undefined ? [] : (schema.anyOf ?? [schema]);
  const bodies = forms.map((form) =>
    Object.keys(form.properties)
      .map((name) => (form.required?.includes(name) || (reason && name === 'reason') ? `**${name}**` : name))
      .join(', '),
  );
  return [...query, ...(bodies.length > 0 ? [bodies.join('; or ')] : [])].join(', ');
}

if (import.meta.main) process.stdout.write(apiPage());
