package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/watch/notify"
)

// A Section is a mapping of the config, and the keys that may stand in it.
type Section struct {
	Title string // as services.NAME.files[]
	Doc   string // what it is, where the key that it stands under does not say it; `is code`
	Keys  []Key

	at    string // the same as Title, in a sentence after "a key"
	rules schema // what must hold of its keys together
}

// A Key is one that the config knows. The reader reads by it, and the manual, the documents and the
// JSON Schema are made of it.
type Key struct {
	Name string
	Doc  string // what it means; `is code`

	kind valueKind
	std  any      // what holds without it; nil: nothing, or Doc says it
	also []string // words that people use for it, said at one of the keys of its name
}

// Kind gives what stands at the key, as documents call it: DURATION.
func (k Key) Kind() string { return k.kind.word }

// Default gives what holds without the key, as it would be written; "" where there is nothing, or
// Doc says it.
func (k Key) Default() string {
	if k.std == nil {
		return ""
	}
	return fmt.Sprint(k.std)
}

// choice lists words, as code.
func choice[T ~string](words []T) string {
	var list strings.Builder
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			list.WriteString(" or ")
		default:
			list.WriteString(", ")
		}
		list.WriteString("`" + string(word) + "`")
	}
	return list.String()
}

// Sections are all mappings of the config.
func Sections() []*Section {
	return []*Section{&ofTop, &ofLog, &ofAWS, &ofAccount, &ofTriggers, &ofMetrics, &ofFleet, &ofService, &ofRollout, &ofCheck, &ofFailure, &ofFile, &ofVerify, &ofTLS, &ofNotice, &ofHealthy}
}

var ofTop = Section{Title: "At the top", at: "at the top", Keys: []Key{
	{Name: "services", kind: named("SERVICE", &ofService, serviceName, "null"),
		Doc: "The services, by name. A name has up to 64 letters, digits and `._@-`. Empty, it says that there are none yet: the daemon runs and waits for the first."},
	{Name: "schedule", kind: cronKind, std: defaultSchedule, also: []string{"interval", "cron"},
		Doc: "When to look again: cron with five fields, `@hourly`, `@daily` and the like, or `@every 5m`. `CRON_TZ=Europe/Berlin` before the fields names a zone. A text that begins with * must be quoted."},
	{Name: "splay", kind: duration, also: []string{"jitter"},
		Doc: "The hosts of a fleet do not ask at once: each adds its own constant part of this to its times. Default: the gap between two runs, at most 5m. After a change notice a host waits for its part of a tenth of it, by default of 3s at most."},
	{Name: "settle", kind: duration, std: defaultSettle, also: []string{"debounce"},
		Doc: "After a change notice or a changed file, wait this long for more."},
	{Name: "vars", kind: varsKind, also: []string{"variables"},
		Doc: "What templates know as `{{ .NAME }}`. `RENDERED_VAR_NAME` and `--var` win over it, and over the `vars` of a service."},
	{Name: "values", kind: filePath,
		Doc: "Answer lookups from this file in place of AWS. It holds `secrets` (a name to a text, or to a mapping that answers as a secret of JSON) and `params` (a name to a text or a list). `!missing`, `!denied` and `!throttled` in the place of a value rehearse what AWS may answer."},
	{Name: "state_dir", kind: directory, std: defaultStateDir, also: []string{"statedir"},
		Doc: "Where the daemon notes who has been told what."},
	{Name: "log", kind: mappingOf(&ofLog), Doc: "What the log looks like."},
	{Name: "aws", kind: mappingOf(&ofAWS), Doc: "Which AWS to ask."},
	{Name: "triggers", kind: mappingOf(&ofTriggers), also: []string{"trigger"}, Doc: "What has the daemon look at once."},
	{Name: "inventory", kind: truth, std: false,
		Doc: "Whether the SSM Agent of this machine reports to AWS Systems Manager which versions of secrets and parameters the files are of, as `Custom:Rendered`. Names are reported, and no values."},
	{Name: "metrics", kind: mappingOf(&ofMetrics), also: []string{"prometheus"}, Doc: "Where Prometheus finds how the services stand."},
	{Name: "fleet", kind: mappingOf(&ofFleet), also: []string{"cluster"}, Doc: "Where the hosts of a fleet meet, which make a change a few at a time."},
}}

var ofLog = Section{Title: "log", at: "under log:", Keys: []Key{
	{Name: "level", kind: oneWord(logLevels...), std: defaultLevel, Doc: "The least that is logged: " + choice(logLevels) + "."},
	{Name: "format", kind: oneWord(logFormats...), std: defaultLogFormat,
		Doc: choice(logFormats) + ". `auto` is what `rendered once` prints, with the time of day, on a terminal, an entry with fields in the journal, and `text` elsewhere."},
}}

var ofAWS = Section{Title: "aws", at: "under aws:", Doc: "Without any of these it is as with the AWS CLI: the environment, the shared config, the role of the instance.", Keys: []Key{
	{Name: "region", kind: regionKind, Doc: "The Region, as `eu-west-1`."},
	{Name: "profile", kind: freeText("NAME"), Doc: "A profile of the shared config."},
	{Name: "role_arn", kind: roleKind, also: []string{"role"}, Doc: "A role to assume for all lookups."},
	{Name: "external_id", kind: freeText("TEXT"), Doc: "What that role wants to hear."},
	{Name: "session_name", kind: freeText("TEXT"), Doc: "The name of the session, for AWS's logs."},
	{Name: "endpoint_url", kind: matchingKind("URL", endpointURL, "a URL of http or https without a user"), also: []string{"endpoint"}, Doc: "Ask here in place of AWS; for emulators."},
	{Name: "max_concurrency", kind: number(1, 100), std: defaultConcurrency, Doc: "Requests in flight, for each service of AWS in an account and Region, 1 to 100."},
	{Name: "batch_secrets", kind: truth, std: false, Doc: "Read secrets by twenties. That takes `secretsmanager:BatchGetSecretValue` on every resource."},
	{Name: "timeout", kind: positive, std: defaultTimeout, Doc: "For all lookups of one pass, retries included."},
	{Name: "accounts", kind: named("ACCOUNT", &ofAccount, accountName), Doc: "More accounts and Regions, which refs name as `NAME::prod/db`."},
}}

var ofAccount = Section{Title: "aws.accounts.NAME", at: "of an account, under aws: accounts:", Doc: "At least one of these is there.", rules: schema{"minProperties": 1}, Keys: []Key{
	{Name: "id", kind: accountKind, Doc: "The account's number, in quotes. Without `role_arn` the daemon's own credentials are used, which the policies there must let in."},
	{Name: "role_arn", kind: roleKind, Doc: "A role to assume there."},
	{Name: "external_id", kind: freeText("TEXT"), Doc: "What that role wants to hear."},
	{Name: "session_name", kind: freeText("TEXT"), Doc: "The name of the session."},
	{Name: "region", kind: regionKind, Doc: "Another Region."},
}}

var ofTriggers = Section{Title: "triggers", at: "under triggers:", Keys: []Key{
	{Name: "sqs", kind: parsedKind("URL", schema{"type": "string", "pattern": queueURL.text}, parseQueue), also: []string{"queue", "queue_url"},
		Doc: "The URL of an SQS queue with change notices from EventBridge, bare, by SNS or by CloudTrail. What changed is looked at at once, and the schedule becomes a safety net."},
}}

var ofMetrics = Section{Title: "metrics", at: "under metrics:", Doc: "There are none unless one of the first two is set.", rules: schema{"anyOf": requiring("listen", "textfile")}, Keys: []Key{
	{Name: "listen", kind: parsedKind("HOST:PORT", schema{"type": "string", "pattern": `^(localhost|[0-9.]+|\[[^\[\]]*\])?:[0-9]+$`}, parseListen), also: []string{"address", "bind"},
		Doc: "Answer at this address, as `127.0.0.1:9464`, with the metrics at `/metrics`, `/-/healthy`, `/-/ready` and a page for a browser at `/`. The host is an IP address, localhost or nothing, which is every address of the machine. Whoever reaches it reads them: there is no password. Where the address cannot be bound the journal says so, services are kept all the same, and it is tried again."},
	{Name: "textfile", kind: promFile, also: []string{"text_file"},
		Doc: "Write the metrics to this file, for the textfile collector of node_exporter. Its name ends in .prom."},
	{Name: "refs", kind: truth, std: true, Doc: "With `false` the names of secrets and parameters are in no metric, and there is no page."},
}}

var ofFleet = Section{
	Title: "fleet", at: "under fleet:", Doc: "Exactly one of `table` and `fleetlock`.",
	rules: schema{"required": []string{"name"}, "oneOf": requiring("table", "fleetlock")},
	Keys: []Key{
		{Name: "name", kind: matchingKind("NAME", fleetName, "the name of a fleet: up to 64 letters, digits and . _ -"),
			Doc: "Hosts with the same name are one fleet. Staging and production may share a table."},
		{Name: "table", kind: matchingKind("NAME", tableName, "the name of a table of DynamoDB, as rendered is"),
			Doc: "The table of DynamoDB that the hosts meet at. It is asked as `aws` says."},
		{Name: "fleetlock", kind: addressKind, Doc: "The URL of a server of the FleetLock protocol, in its place. It gives turns, and knows neither a host that goes first nor a halt."},
	},
}

var ofRollout = Section{
	Title: "services.NAME.rollout", at: "under rollout:", Doc: "How many hosts of the fleet make a change of the service at once. It takes `fleet`.",
	rules: schema{"dependencies": schema{"bake": schema{"not": schema{"properties": schema{"canary": schema{"enum": []any{false}}}, "required": []string{"canary"}}}}},
	Keys: []Key{
		{Name: "group", kind: matchingKind("NAME", fleetName, "the name of a group: up to 64 letters, digits and . _ -"),
			Doc: "Services of one group share their turns, on one host and on all. Default: the name of the service."},
		{Name: "max_unavailable", kind: parsedKind("NUMBER or PERCENT", schema{"type": []string{"integer", "string"}, "pattern": amountPattern.text, "patternErrorMessage": asAmount, "minimum": 1, "maximum": 999999}, parseAmount),
			std: 1, also: []string{"max_parallel", "batch", "batch_size"}, Doc: "How many hosts may work at once: `2`, or `10%` of them."},
		{Name: "canary", kind: truth, std: true, Doc: "Whether one host goes first with a change, and the others wait until that is well. Where it is not, the change is halted: nobody else begins it."},
		{Name: "bake", kind: duration, std: defaultBake, also: []string{"soak"}, Doc: "For how long the host that goes first is to stay well."},
		{Name: "max_wait", kind: positive, std: defaultMaxWait, Doc: "How long a host waits for its turn while no other makes any progress, and while nothing is halted."},
		{Name: "after_max_wait", kind: oneWord("proceed", holdAfterWait), std: "proceed", Doc: "What it does then: `proceed` without a turn, at a random time, or `hold`. It is the same where the table has not answered for two minutes."},
	},
}

var ofService = Section{
	Title: "services.NAME", at: "of a service", Doc: "Some files and the dependents that read them. None of the files changes unless all of them rendered and every check passed.",
	rules: schema{"required": []string{"files"}, "dependencies": schema{
		"healthy_for":    schema{"anyOf": append(requiring("healthy"), schema{"required": []string{"notify"}, "properties": schema{"notify": schema{"contains": schema{"anyOf": requiring("reload", "restart", "start")}}}})},
		"healthy_within": []string{"healthy"}, "rollback": []string{"healthy"}, "after": []string{"before"}, "hold": []string{"notify_window"},
	}},
	Keys: []Key{
		{Name: "files", kind: listOf("FILE", &ofFile, 1), also: []string{"templates"}, Doc: "The files, one at least."},
		{Name: "schedule", kind: cronKind, Doc: "In place of the one at the top."},
		{Name: "vars", kind: varsKind, Doc: "Beside those at the top, and before them."},
		{Name: "check", kind: checkKind(wholly),
			Doc: "Sees all new files at their final places, before anything else does, in a mount namespace of its own. Exit code 0 lets them pass. A command is a list, executed as it is, or a text for `sh -c`. A mapping says how it is run as well."},
		{Name: "verify", kind: mappingOf(&ofVerify), Doc: "What must hold of the new files together."},
		{Name: "notify", kind: listOf("NOTICE", &ofNotice, 0), Doc: "Who is told when a file changed."},
		{Name: "healthy", kind: oneOrMore(&ofHealthy), also: []string{"health", "healthcheck", "health_check", "liveness", "readiness"},
			Doc: "What must be well after the notices, all of it at once, for the service to count as current. Looking changes nothing."},
		{Name: "healthy_for", kind: duration, std: defaultHealthyFor, Doc: "For how long all of it must be well without a break. Without `healthy` it is how long the units of `reload`, `restart` and `start` are looked at after their notices, and must stay up, in the place of 3s after a restart or a start and half a second after a reload."},
		{Name: "healthy_within", kind: positive, std: defaultHealthyWithin, Doc: "How much time there is for that, from the last notice on. It is longer than `healthy_for`; where that is longer than 5s this is by default 25s more."},
		{Name: "min_interval", kind: duration, Doc: "The least time between two notices to the same dependent. They come later, and are not dropped."},
		{Name: "notify_window", kind: windowsKind, also: []string{"window", "maintenance_window"},
			Doc: "When `run`, `restart` and `start` are done, which may interrupt: `\"Mon-Fri 02:00-04:00 Europe/Berlin\"`, or a list of such windows. Without days it is every day, without a zone this machine's clock. They come later, and are not dropped; other notices do not wait."},
		{Name: "hold", kind: oneWord(holdSwap),
			Doc: "`swap`: the files wait for the `notify_window` as well, nothing is written before it opens."},
		{Name: "gate", kind: checkKind(wholly), also: []string{"precondition"},
			Doc: "Must end with 0 for files to be written, as where no alarm fires; else the service is `held`, and it is asked again. Old files that are put back wait for nothing. Like `check` a command, or a mapping."},
		{Name: "before", kind: checkKind(wholly), also: []string{"pre", "drain"},
			Doc: "Is run when all is staged and checked, before the first file changes: takes the host out of a load balancer. Where it fails nothing changes, and it is tried again. Like `check` a command, or a mapping."},
		{Name: "after", kind: checkKind(wholly), also: []string{"post", "undrain"},
			Doc: "Is run when a change is over, wherever `before` was begun: when the service was seen to be well, when the old files were put back, when nothing was written after all. Where it fails it is tried again."},
		{Name: "on_failure", kind: mappingOf(&ofFailure), also: []string{"alert", "on_error", "failure"},
			Doc: "Who hears of a failure: that files cannot be brought up to date, that a dependent refuses, that a change was rolled back, or stays and is not well. Each is said once, until something else happens."},
		{Name: "rollback", kind: oneWord("config", "always", "never"), std: "config", also: []string{"on_unhealthy"},
			Doc: "When the old files are put back in the place of a change that is not `healthy`: `config`, where no secret and no SecureString had another version than before, as the old credential may be dead; `always`; or `never`. It takes `healthy`."},
		{Name: "rollout", kind: mappingOf(&ofRollout), also: []string{"rolling", "update_config", "strategy"}, Doc: "How a change goes through the fleet: one host first, then a few at a time."},
		{Name: "allow", kind: rulesKind, also: []string{"ignore", "silence", "nolint"},
			Doc: "What `rendered check` does not warn of: " + choice(ruleNames()) + ". `rendered check --help` says what each finds."},
	},
}

var ofCheck = Section{
	Title: "services.NAME.check, services.NAME.files[].check", at: "of a check",
	Doc:   "A check is a command, or this mapping.",
	rules: schema{"required": []string{"run"}},
	Keys: []Key{
		{Name: "run", kind: commandKind, Doc: "The command: a list is executed as it is, a text goes to `sh -c`."},
		{Name: "output", kind: outputKind, std: "redact", Doc: "What is shown of what it prints, as of a notice."},
		{Name: "timeout", kind: positive, std: "30s", Doc: "How long it may take."},
	},
}

var ofFailure = Section{
	Title: "services.NAME.on_failure", at: "under on_failure:", Doc: "At least one of `run` and `post`.",
	rules: schema{"anyOf": requiring("run", "post"), "dependencies": schema{"timeout": []string{"run"}, "output": []string{"run"}}},
	Keys: []Key{
		{Name: "run", kind: commandKind, also: []string{"command", "cmd", "exec"},
			Doc: "A command, which finds `RENDERED_SERVICE` and, as JSON, `RENDERED_EVENT` in its environment. Where it fails it is run again."},
		{Name: "post", kind: addressKind, Doc: "That JSON is sent here by POST, which is answered with a status of 200 to 299; else it is sent again."},
		{Name: "output", kind: outputKind, std: "redact", Doc: "What is shown of what `run` prints where it fails, as of a notice."},
		{Name: "timeout", kind: positive, std: "30s", Doc: "How long `run` may take."},
	},
}

var ofFile = Section{
	Title: "services.NAME.files[]", at: "of a file, under files:",
	rules: schema{"required": []string{"path"}, "oneOf": requiring("template", "content"), "dependencies": schema{"structure": []string{"format"}, "gone": []string{"each"}}},
	Keys: []Key{
		{Name: "path", kind: target, also: []string{"destination", "dest", "target"},
			Doc: "Where it is written to. It may have actions between `{{` and `}}`, as `/etc/app/{{ .env }}.conf`: vars, `hostname`, `env` and functions, and no lookups. They are put in when the config is read."},
		{Name: "each", kind: described("PIPELINE", schema{"type": "string", "minLength": 1, "not": schema{"pattern": `\{\{`}}), also: []string{"foreach", "for_each", "range"},
			Doc: "Make one file for each key of what this gives: `params \"/tls/sites\"`, `secretMap \"sites\"`, `.sites` of vars. Path and template know the key as `.key` (of a list its number), the template what is there as `.value`."},
		{Name: "gone", kind: oneWord("keep", "remove"), std: "keep",
			Doc: "What becomes of a file whose key is gone: `keep` leaves it where it is and says so, `remove` takes it away. It takes `each`."},
		{Name: "template", kind: filePath, also: []string{"source", "src"}, Doc: "The template. Files beside it whose names begin with _ are its partials."},
		{Name: "content", kind: described("TEXT", schema{"type": scalars}), also: []string{"text", "inline"}, Doc: "The template itself, in place of `template`."},
		{Name: "owner", kind: described("USER:GROUP", schema{"type": scalars, "pattern": `^([^:]+|[^:]*:[^:]+)$`}), also: []string{"user", "group"},
			Doc: "Names or numbers: `USER`, `USER:GROUP` or `:GROUP`. Default: as it is; a new file gets the daemon's."},
		{Name: "mode", kind: parsedKind("OCTAL", aMode, parseMode), also: []string{"perms", "permissions"}, Doc: "The permission bits, as `0640`. Default: as it is; a new file gets 0600."},
		{Name: "dir_mode", kind: parsedKind("OCTAL", aMode, parseDirMode), also: []string{"dirmode"}, Doc: "Make missing directories with this mode. Without it a missing one is an error."},
		{Name: "format", kind: parsedKind("WORD", schema{"enum": format.Known()}, parseFormat), also: []string{"type"},
			Doc: "The result must parse as " + choice(format.Known()) + ". No value may change the structure of the file around it."},
		{Name: "structure", kind: oneWord("kept", "free"), std: "kept", Doc: "`kept`, or `free`, which lets values bring structure of their own. It takes `format`."},
		{Name: "check", kind: checkKind(schema{"type": []string{"string", "array", "object"}, "pattern": placeholder["pattern"], "contains": placeholder}),
			Doc: "Gets the path of the new file, which lies hidden beside its place, as `{}`. A mapping says how it is run as well."},
		{Name: "delims", kind: described("[LEFT, RIGHT]", schema{"type": "array", "minItems": 2, "maxItems": 2, "items": schema{"type": scalars, "pattern": `^[^ \t\r\n]+$`}}), also: []string{"delimiters"},
			Doc: "What stands around the actions of the template, as `[\"[[\", \"]]\"]`. Default: `{{` and `}}`."},
		{Name: "write", kind: oneWord("rename", "in-place"), std: "rename", Doc: "`rename`, or `in-place`, which writes to the file that is there: not in one step, but it works on a file that is mounted."},
		{Name: "max_size", kind: parsedKind("SIZE", schema{"type": []string{"string", "integer"}, "pattern": sizePattern.text, "patternErrorMessage": asSize, "minimum": 1, "maximum": maxContent}, parseSize), std: "16MiB", also: []string{"maxsize", "size"},
			Doc: "A template that prints more is stopped."},
		{Name: "allow_empty", kind: truth, std: false, Doc: "Nothing, or white space, takes the place of something only where this is true."},
	},
}

var ofVerify = Section{Title: "services.NAME.verify", at: "under verify:", rules: schema{"required": []string{"tls"}}, Keys: []Key{
	{Name: "tls", kind: oneOrMore(&ofTLS), also: []string{"ssl"}, Doc: "A certificate with its chain, and its key. The chain must be in order, none of it expired."},
}}

var ofTLS = Section{Title: "services.NAME.verify.tls", at: "under verify: tls:", rules: schema{"required": []string{"cert"}}, Keys: []Key{
	{Name: "cert", kind: target, also: []string{"certificate", "crt"}, Doc: "The certificate's file, one of the service's."},
	{Name: "key", kind: target, also: []string{"private_key"}, Doc: "The key's file. Without it the key is in `cert`."},
	{Name: "host", kind: hostsKind, also: []string{"hosts", "hostname", "server_name"}, Doc: "Names and IP addresses that the certificate must cover."},
	{Name: "valid_for", kind: duration, std: time.Duration(0), Doc: "It must hold at least so long from now."},
}}

var ofNotice = Section{
	Title: "services.NAME.notify[]", at: "of a notice, under notify:", Doc: "Exactly one of `reload`, `restart`, `start`, `signal`, `run`, `http` and `socket`.",
	rules: schema{
		"oneOf": requiring(noticeKinds...),
		"dependencies": schema{
			"output": schema{"anyOf": requiring("run", "http", "socket")}, "unit": []string{"signal"}, "pid_file": []string{"signal"},
			"method": []string{"http"}, "body": []string{"http"}, "content_type": []string{"http", "body"}, "send": []string{"socket"}, "abort": []string{"socket"}, "socket": []string{"send"},
			"expect": schema{"anyOf": requiring("http", "socket")},
			"http":   schema{"properties": schema{"expect": schema{"type": []string{"integer", "array"}, "maximum": 599, "items": aStatus}}},
			"signal": schema{"oneOf": requiring("unit", "pid_file"), "not": schema{"required": []string{"timeout"}}},
		},
	},
	Keys: []Key{
		{Name: "reload", kind: unitKind, Doc: "Have systemd reload the unit, where it is active."},
		{Name: "restart", kind: unitKind, Doc: "Have systemd restart it, or start it, and see that it stays up for 3 seconds."},
		{Name: "start", kind: unitKind, Doc: "Have systemd start it."},
		{Name: "signal", kind: parsedKind("NAME", schema{"anyOf": []schema{{"enum": notify.Signals()}, {"type": "string", "pattern": signalForm}}}, parseSignal),
			Doc: "Send this signal, as `HUP`, to the main process of `unit`, or to that of `pid_file`."},
		{Name: "unit", kind: unitKind, Doc: "Whom `signal` is sent to."},
		{Name: "pid_file", kind: filePath, also: []string{"pidfile"},
			Doc: "Likewise. One that others than root can change, or have lead elsewhere, has no process signaled but those of the user whose file it is."},
		{Name: "run", kind: commandKind, also: []string{"command", "cmd", "exec"},
			Doc: "A list is executed as it is, a text goes to `sh -c`. It finds `RENDERED_SERVICE` (with blanks where there are several) and `RENDERED_PATHS` (one path a line) in its environment."},
		{Name: "http", kind: addressKind, also: []string{"url", "webhook"},
			Doc: "Ask a server, by a request without redirects and proxies: `http://127.0.0.1:9090/-/reload`, or at a socket `unix:/run/caddy.sock:/load`. Its status is the answer."},
		{Name: "method", kind: methodKind, std: "POST", also: []string{"verb"}, Doc: "The method of `http`."},
		{Name: "body", kind: freeText("TEXT"), also: []string{"data"},
			Doc: "What `http` sends. `{file PATH}` in it stands for the content of one of the service's files, which goes to a socket, or by https to a host that its certificate names."},
		{Name: "content_type", kind: typeKind, Doc: "What `body` is, as `application/json`."},
		{Name: "socket", kind: socketKind, Doc: "Tell a server at this unix socket by lines, as HAProxy's runtime API has them."},
		{Name: "send", kind: textsKind,
			Doc: "What `socket` says: each text over a connection of its own, with a newline behind it. `{file PATH}` stands for the content of one of the service's files, without empty lines."},
		{Name: "expect", kind: expectKind,
			Doc: "What acknowledges. With `http` a status, or a list of them; default: any of 200 to 299. With `socket` a text that the last answer must hold, or a list of one for each of `send`; default: any answer."},
		{Name: "abort", kind: textsKind, Doc: "What `socket` says where an answer was not as `expect` has it."},
		{Name: "timeout", kind: positive, Doc: "How long `run`, `http` and `socket` may take, by default 30s, or systemd's job, by default 2m."},
		{Name: "output", kind: outputKind, std: "redact",
			Doc: "What is shown of what `run` prints, and a server answers, in the log and by `rendered once`: `redact` hides what is recognised as a secret, which is best effort, `withhold` shows nothing, `show` everything."},
	},
}

var ofHealthy = Section{
	Title: "services.NAME.healthy", at: "under healthy:", Doc: "Exactly one of `unit`, `http`, `tls`, `tcp` and `run`.",
	rules: schema{
		"oneOf": requiring("unit", "http", "tls", "tcp", "run"),
		"dependencies": schema{
			"status": []string{"http"}, "body": []string{"http"}, "host": []string{"tls"}, "cert": []string{"tls"}, "tls": []string{"cert"}, "output": []string{"run"},
		},
	},
	Keys: []Key{
		{Name: "unit", kind: unitKind, also: []string{"systemd"},
			Doc: "The unit is active, in one and the same run, and has not failed. A service of `Type=oneshot` has done its work without failing."},
		{Name: "http", kind: addressKind,
			Doc: "A GET is answered there. No redirect is followed, and no proxy asked. The certificate of https must be valid, unless the host is localhost or a loopback address."},
		{Name: "status", kind: statusesKind, also: []string{"code", "expect_status"}, Doc: "What `http` is to answer. Default: any of 200 to 299."},
		{Name: "body", kind: freeText("TEXT"), Doc: "What must be in the first 64 KiB of what `http` answers."},
		{Name: "tls", kind: peerKind,
			Doc: "A TLS server there shows the very first certificate of the file `cert`, at each of several connections. Until when that holds, and for whom, is for `verify` to see."},
		{Name: "host", kind: nameKind, Doc: "The name that `tls` asks for. Default: its host, unless that is an IP address."},
		{Name: "cert", kind: target, Doc: "The certificate's file, one of the service's. `tls` takes it."},
		{Name: "tcp", kind: peerKind, Doc: "A server there takes connections."},
		{Name: "run", kind: commandKind, also: []string{"command", "cmd", "exec"}, Doc: "The command ends with 0. A list is executed as it is, a text goes to `sh -c`. It is run several times, and must change nothing."},
		{Name: "timeout", kind: positive, std: "5s", Doc: "How long one look may take."},
		{Name: "output", kind: outputKind, std: "redact", Doc: "What is shown of what `run` prints, as of a notice."},
	},
}
