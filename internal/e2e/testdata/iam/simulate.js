// Reads {policies, asks} and writes, for the policies as they are and with each part of them taken
// away, which of the asks are denied: {whole: [...], without: [{part, denied: [...]}]}. The asks
// are named by their place in the list.
const { runSimulation } = require('@cloud-copilot/iam-simulate')
const { policies, asks } = JSON.parse(require('fs').readFileSync(0, 'utf8'))

const list = (x) => (Array.isArray(x) ? x : [x])

async function denied(ask, policy) {
  const got = await runSimulation({
    request: {
      principal: ask.principal,
      action: ask.action,
      resource: { resource: ask.resource, accountId: ask.account },
      contextVariables: ask.context ?? {},
    },
    identityPolicies: policy.Statement.length ? [{ name: 'ours', policy }] : [],
    resourcePolicy: ask.resourcePolicy,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }, {})
  if (got.resultType === 'error') throw new Error(JSON.stringify({ ask, errors: got.errors }))
  return got.overallResult !== 'Allowed'
}

// deniedOf gives the asks of one identity that its policy does not allow, of those for some
// actions.
async function deniedOf(principal, policy, actions) {
  const found = []
  for (const [i, ask] of asks.entries()) {
    if (ask.principal === principal && (!actions || actions.includes(ask.action)) && (await denied(ask, policy))) found.push(i)
  }
  return found
}

// parts gives a policy without each of its statements, actions, resources and values of conditions.
function* parts(policy) {
  for (const [i, s] of policy.Statement.entries()) {
    const other = (changed) => ({ ...policy, Statement: [...policy.Statement.slice(0, i), ...changed, ...policy.Statement.slice(i + 1)] })
    yield [{ sid: s.Sid }, other([])]
    for (const key of ['Action', 'Resource']) {
      const words = list(s[key])
      if (words.length < 2) continue
      for (const word of words) yield [{ sid: s.Sid, [key.toLowerCase()]: word }, other([{ ...s, [key]: words.filter((w) => w !== word) }])]
    }
    for (const [operator, keys] of Object.entries(s.Condition ?? {})) {
      for (const [key, values] of Object.entries(keys)) {
        const words = list(values)
        if (words.length < 2) continue
        for (const word of words) {
          yield [{ sid: s.Sid, value: word }, other([{ ...s, Condition: { [operator]: { [key]: words.filter((w) => w !== word) } } }])]
        }
      }
    }
  }
}

async function main() {
  const answer = { whole: [], without: [] }
  for (const [principal, policy] of Object.entries(policies)) {
    answer.whole.push(...(await deniedOf(principal, policy)))
    for (const [part, rest] of parts(policy)) {
      // What the statement is not about, it did not allow.
      const actions = list(policy.Statement.find((s) => s.Sid === part.sid).Action)
      answer.without.push({ ...part, principal, denied: await deniedOf(principal, rest, actions) })
    }
  }
  process.stdout.write(JSON.stringify(answer))
}

main()
