package rewrite

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	digitsWhy = "numbers come out in digits, as they are stored, where a million and more was 1e+06"
	eachTime  = "what differs from run to run would change the file, and reload its readers, on every pass"
	noNetwork = "a template asks AWS and this machine; keep the address in a parameter: {{ param \"/app/address\" }}"
)

// Confd is the language of confd, and of its forks.
var Confd = &Program{Name: "confd", Rules: confdRules(), exists: "exists", reads: "getv", slash: true}

func confdRules() map[string]Rule {
	m := map[string]Rule{
		"getv":   {Verdict: Rewritten, make: getv, becomes: "`getv K` → `param K`, `getv K D` → `paramOr D K`; of the backend env `env` and `envOr`, of secretsmanager `secret` and `secretOr`"},
		"cgetv":  {Verdict: Rewritten, make: cgetv, becomes: "`cgetv K` → `param K`", Why: cryptWhy},
		"get":    {Verdict: Rewritten, make: getPair, becomes: "`get K` → `dict \"Key\" K \"Value\" (param K)`"},
		"gets":   {Verdict: Rewritten, make: gets, becomes: "`gets \"P/*\"` → `paramChildren \"P\"`, whose `.Key` is the last part of the name: a `.Key` there becomes `print \"P/\" .Key`", Why: emptyWhy},
		"getvs":  {Verdict: Rewritten, make: getvs, becomes: "`getvs \"P/*\"` → the `.Value` of each of `paramChildren \"P\"` in a list, and `sortAlpha` of that", Why: emptyWhy},
		"exists": {Verdict: Rewritten, make: keyExists, becomes: "`exists K` → `paramExists K`; `{{ if exists K }}…{{ getv K }}` → `{{ with paramOr \"\" K }}…{{ . }}`"},
		"ls":     {Verdict: Rewritten, make: ofPath("keys (paramsTree $1)", textList), becomes: "`ls P` → `keys (paramsTree P)`", Why: emptyWhy},
		"lsdir":  {Verdict: Rewritten, make: ofPath("paramDirs $1", textList), becomes: "`lsdir P` → `paramDirs P`", Why: emptyWhy},
		"base":   {Verdict: Kept, make: base},

		"split":      {Verdict: Turned, forms: []string{"", "splitList $2 $1"}, gives: textList},
		"join":       {Verdict: Turned, forms: []string{"", "join $2 $1"}, gives: oneText},
		"contains":   {Verdict: Turned, forms: []string{"", "contains $2 $1"}},
		"trimSuffix": {Verdict: Turned, forms: []string{"", "trimSuffix $2 $1"}, gives: oneText},
		"replace":    {Verdict: Turned, make: replaceAll, becomes: "`replace A B C -1` → `replace B C A`; another number than -1 is refused"},
		"getenv":     {Verdict: Rewritten, forms: []string{`envOr "" $1`, `envOr "" $1 | default $2`}, gives: oneText},
		"json":       {Verdict: Renamed, forms: []string{"fromJson $1"}, Why: digitsWhy},
		"jsonArray":  {Verdict: Renamed, forms: []string{"fromJsonArray $1"}, gives: wholeList, Why: digitsWhy},
		"seq":        {Verdict: Rewritten, make: sequence, becomes: "`seq A B` → `untilStep A (add B 1) 1`"},
	}
	same(m, "dir parseBool reverse add sub div mod mul atoi fileExists hostname", anything)
	renamed(m, "map=dict", anything)
	renamed(m, "toUpper=upper toLower=lower base64Encode=b64enc base64Decode=b64dec", oneText)
	refused(m, "cget cgets cgetvs", cryptWhy)
	refused(m, "sortByLength sortKVByLength", "nothing sorts by length; sortAlpha sorts by letters")
	refused(m, "lookupIP lookupIPV4 lookupIPV6 lookupSRV", noNetwork)
	refused(m, "lookupIfaceIPV4 lookupIfaceIPV6", "{{ imds \"local-ipv4\" }} is the address of an instance; that of another interface is a fact to be kept in vars")
	refused(m, "datetime", eachTime)
	return m
}

const (
	cryptWhy = "nothing is decrypted with a key of PGP; keep the value in clear as a SecureString, which Parameter Store decrypts, and read it with param"
	emptyWhy = "a path with nothing below it is an error here, and the file stays as it is; where that may be, put {{ if paramsExist PATH }} around it"
)

func getv(r *rewriter, c *call) value {
	if len(c.args) == 0 || len(c.args) > 2 {
		return r.miscounted(c)
	}
	key := c.args[0]
	if len(c.args) == 1 && key.written == whole && key.literal == c.scope.current && c.scope.dot.kind == oneText {
		return value{text: ".", shape: shape{kind: oneText}}
	}
	plain, fallback := "param", "paramOr"
	name := ""
	switch r.o.Backend {
	case Variables:
		plain, fallback, name = "env", "envOr", r.variable(key, c.pos)
	case Secrets:
		plain, fallback, name = "secret", "secretOr", r.secret(key, c.pos)
	default:
		name = r.path(key, c.pos).arg()
	}
	text := plain + " " + name
	if len(c.args) == 2 {
		text = fallback + " " + c.args[1].arg() + " " + name
	}
	return value{text: text, form: command, shape: shape{kind: oneText}}
}

func cgetv(r *rewriter, c *call) value {
	r.remark(c.pos, "cgetv: "+cryptWhy)
	return getv(r, c)
}

func getPair(r *rewriter, c *call) value {
	if len(c.args) != 1 || c.args[0].written != whole {
		return r.refuse(c.pos, "get of a key that is computed; getv gives its value")
	}
	return value{text: fmt.Sprintf(`dict "Key" %s "Value" (%s)`, c.args[0].text, getv(r, &call{args: c.args, pos: c.pos}).text), form: command}
}

func gets(r *rewriter, c *call) value {
	if len(c.args) != 1 {
		return r.miscounted(c)
	}
	key := c.args[0]
	if key.shape.kind == pairKey || key.written == whole && !strings.ContainsAny(key.literal, `*?[\`) {
		return onlyPair(r, c)
	}
	switch r.o.Backend {
	case Variables:
		return r.refuse(c.pos, "%s: nothing lists the variables of the environment; write the names down: {{ env \"NAME\" }}", c.name)
	case Secrets:
		return secretsBelow(r, c)
	}
	of, before := r.below(key, c.pos)
	return value{text: "paramChildren " + of.arg(), form: command, shape: shape{kind: pairs, below: before}}
}

// onlyPair writes what a pattern finds that is a key itself.
func onlyPair(r *rewriter, c *call) value {
	one := *c
	key := c.args[0]
	return value{text: fmt.Sprintf(`list (dict "Key" %s "Value" (%s))`, key.arg(), getv(r, &one).text), form: command}
}

// secretsBelow writes what confd asked Secrets Manager for that a pattern finds, or the keys of a
// secret.
func secretsBelow(r *rewriter, c *call) value {
	key := r.withoutStar(c.args[0])
	if key.written != whole || key.shape.kind != globPath {
		return r.refuse(c.pos, "secrets by a pattern that is computed, or is another than NAME/*")
	}
	text := ""
	for _, k := range slices.Sorted(slices.Values(r.o.Keys)) {
		if k = path.Join("/", k); path.Dir(k) == path.Join("/", key.literal) {
			text += fmt.Sprintf(` (dict "Key" %q "Value" (secret %s))`, k, r.secret(value{literal: k, written: whole}, c.pos))
		}
	}
	if text != "" {
		return value{text: "list" + text, form: command}
	}
	return value{text: "secretMap " + r.secret(key, c.pos), form: command, shape: shape{kind: pathMap, below: strconv.Quote(path.Join("/", key.literal) + "/")}}
}

// getvs makes the list of values in actions of their own.
func getvs(r *rewriter, c *call) value {
	pairs := gets(r, c)
	list := "$values" + r.unused(c.scope.vars, "$values")
	c.scope.vars[list] = shape{kind: textList}
	head, text := pairs.text, ".Value"
	if pairs.shape.kind == pathMap {
		head, text = "$_, $text := "+head, "$text"
	}
	for _, action := range []string{list + " := list", "range " + head, list + " = append " + list + " " + text, "end"} {
		r.before = append(r.before, r.o.Left+" "+action+" "+r.o.Right)
	}
	r.remark(c.pos, emptyWhy)
	return value{text: "sortAlpha " + list, form: command, shape: shape{kind: textList}}
}

func keyExists(r *rewriter, c *call) value {
	if len(c.args) != 1 {
		return r.miscounted(c)
	}
	text := ""
	switch r.o.Backend {
	case Variables:
		text = `envOr "" ` + r.variable(c.args[0], c.pos)
	case Secrets:
		text = "secretExists " + r.secret(c.args[0], c.pos)
	default:
		text = "paramExists " + r.path(c.args[0], c.pos).arg()
	}
	return value{text: text, form: command}
}

// ofPath makes a rule of a form whose only argument is a path.
func ofPath(form string, gives kind) func(r *rewriter, c *call) value {
	return func(r *rewriter, c *call) value {
		if len(c.args) != 1 {
			return r.miscounted(c)
		}
		if r.o.Backend != Parameters {
			return r.refuse(c.pos, "%s: only Parameter Store lists what is below a path; write the names down", c.name)
		}
		if gives == textList {
			r.remark(c.pos, emptyWhy)
		}
		of := value{text: "\"/\"", literal: "/", written: whole}
		if c.args[0].literal != "/" || r.prefix() != "" {
			of = r.path(c.args[0], c.pos)
		}
		return value{text: fill(form, []value{of}), form: command, shape: shape{kind: gives}}
	}
}

// base gives the last part of a key, which the key of a pair is already.
func base(_ *rewriter, c *call) value {
	if len(c.args) == 1 && c.args[0].shape.kind == pairKey {
		return value{text: c.args[0].shape.short, shape: shape{kind: oneText}}
	}
	return c.write("base $*", oneText)
}

// replaceAll turns confd's replace round, where it replaces all.
func replaceAll(r *rewriter, c *call) value {
	if n := len(c.args); n != 4 || c.args[3].text == "" || c.args[3].text[0] != '-' {
		return r.refuse(c.pos, "replace of the first few: here it replaces all of them")
	}
	c.args = c.args[:3]
	c.piped = false
	return c.write("replace $2 $3 $1", oneText)
}

// sequence gives numbers from the first to the last.
func sequence(r *rewriter, c *call) value {
	if len(c.args) != 2 {
		return r.miscounted(c)
	}
	behind := "(add " + c.args[1].arg() + " 1)"
	if last, err := strconv.Atoi(c.args[1].text); err == nil {
		behind = strconv.Itoa(last + 1)
	}
	return value{text: "untilStep " + c.args[0].arg() + " " + behind + " 1", form: command, shape: shape{kind: wholeList}}
}
