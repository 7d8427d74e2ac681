package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// ConsulTemplate is the language of consul-template, which Vault Agent and Nomad use, too.
var ConsulTemplate = &Program{Name: "consul-template", Rules: consulRules(), exists: "keyExists", reads: "key", sprig: true}

func consulRules() map[string]Rule {
	m := map[string]Rule{
		"key":          {Verdict: Rewritten, make: getv, becomes: "`key K` → `param \"/K\"`"},
		"keyOrDefault": {Verdict: Rewritten, make: getv, becomes: "`keyOrDefault K D` → `paramOr D \"/K\"`"},
		"keyExists":    {Verdict: Rewritten, make: keyExists, becomes: "`keyExists K` → `paramExists \"/K\"`; with `key K` behind it `{{ with paramOr \"\" \"/K\" }}…{{ . }}`"},
		"ls":           {Verdict: Rewritten, make: listOf("paramChildren $1", pairs), becomes: "`ls P` → `paramChildren \"/P\"`", Why: emptyWhy},
		"safeLs":       {Verdict: Rewritten, make: listOf("paramChildren $1", pairs), becomes: "`safeLs P` → `paramChildren \"/P\"`"},
		"tree":         {Verdict: Rewritten, make: listOf("paramsOr dict $1", pathMap), becomes: "`range tree P` → `range $name, $value := paramsOr dict \"/P\"`"},
		"safeTree":     {Verdict: Rewritten, make: listOf("params $1", pathMap), becomes: "`range safeTree P` → `range $name, $value := params \"/P\"`"},
		"explode":      {Verdict: Rewritten, make: explode, becomes: "`explode (tree P)` → `paramsTree \"/P\"`; of another list it is refused"},
		"secret":       {Verdict: Rewritten, make: vaultSecretOf, becomes: "`secret P` → `secretMap NAME`, without `.Data` and `.Data.data` behind it; NAME by the table of names"},
		"env":          {Verdict: Rewritten, make: env, becomes: "`env N`, and where it is only tested `envOr \"\" N`", Why: "a variable that is not set is an error here"},
		"file":         {Verdict: Kept, make: file, Why: "a relative path begins beside the template here"},

		"mustEnv":      {Verdict: Renamed, forms: []string{"env $1"}, gives: oneText},
		"envOrDefault": {Verdict: Turned, forms: []string{"", "envOr $2 $1"}, gives: oneText},
		"split":        {Verdict: Renamed, make: split, becomes: "`split A B` → `splitList A (trim B)`", Why: splitWhy},
		"indent":       {Verdict: Rewritten, make: indent, becomes: "`indent 4 S` → `regexReplaceAll \"(?m)^(.)\" S \"    ${1}\"`, for indent here indents empty lines, too"},
		"contains":     {Verdict: Turned, make: contains, becomes: "`contains V L` → `contains V L` of a text, `has V L` of a list"},
		"in":           {Verdict: Turned, make: in, becomes: "`in L V` → `contains V L` of a text, `has V L` of a list"},
		"loop":         {Verdict: Rewritten, forms: []string{"untilStep 0 $1 1", "untilStep $1 $2 1"}, gives: numberList},

		"regexReplaceAll":      {Verdict: Turned, forms: []string{"", "", "regexReplaceAll $1 $3 $2"}, gives: oneText},
		"hmacSHA256Hex":        {Verdict: Turned, forms: []string{"", "hmacSHA256 $2 $1"}, gives: oneText},
		"add":                  {Verdict: Kept, make: computed("add", "$1 $2"), becomes: "of fractions `addf`"},
		"subtract":             {Verdict: Turned, make: computed("sub", "$2 $1"), becomes: "`subtract A B` → `sub B A`, of fractions `subf`"},
		"multiply":             {Verdict: Renamed, make: computed("mul", "$1 $2"), becomes: "`mul`, of fractions `mulf`"},
		"divide":               {Verdict: Turned, make: computed("div", "$2 $1"), becomes: "`divide A B` → `div B A`, of fractions `divf`; where the template does not tell which they are, it is refused"},
		"minimum":              {Verdict: Renamed, make: computed("min", "$1 $2"), becomes: "`min`, of fractions `minf`"},
		"maximum":              {Verdict: Renamed, make: computed("max", "$1 $2"), becomes: "`max`, of fractions `maxf`"},
		"modulo":               {Verdict: Turned, forms: []string{"", "mod $2 $1"}, gives: wholeNumber},
		"executeTemplate":      {Verdict: Rewritten, make: execute, becomes: "`executeTemplate N` → `include N .`"},
		"mergeMap":             {Verdict: Renamed, forms: []string{"", "merge $1 $2"}},
		"mergeMapWithOverride": {Verdict: Renamed, forms: []string{"", "mergeOverwrite $1 $2"}},
		"toJSON":               {Verdict: Renamed, forms: []string{"toJson $1"}, gives: oneText, Why: `< > & stay as they are here, and are \u003c and the like there; JSON's readers read the same`},
		"toJSONPretty":         {Verdict: Renamed, forms: []string{"toPrettyJson $1"}, gives: oneText, Why: `< > & stay as they are here, and are \u003c and the like there; JSON's readers read the same`},
		"toYAML":               {Verdict: Renamed, forms: []string{"toYaml $1"}, gives: oneText, Why: "the layout may be another; readers of YAML read the same"},
		"toTOML":               {Verdict: Renamed, forms: []string{"toToml $1"}, gives: oneText, Why: "the layout may be another; readers of TOML read the same"},
		"toTitle":              {Verdict: Renamed, forms: []string{"title $1"}, gives: oneText, Why: "a letter behind an apostrophe is a capital here, as in Don'T"},
		"parseFloat":           {Verdict: Renamed, forms: []string{"float64 $1"}, gives: fraction, Why: digitsWhy},
		"parseJSON":            {Verdict: Renamed, forms: []string{"fromJson $1"}, Why: digitsWhy},
		"parseYAML":            {Verdict: Renamed, forms: []string{"fromYaml $1"}, Why: digitsWhy},
		"trim":                 {Verdict: Renamed, forms: []string{"", "trimAll $1 $2"}, gives: oneText},
	}
	sameInConsul(m)
	refusedOfConsul(m)
	return m
}

// sameInConsul adds the functions that are the same here, by another name at most.
func sameInConsul(m map[string]Rule) {
	same(m, "md5sum parseBool regexMatch splitToMap", anything)
	same(m, "join trimPrefix trimSuffix", oneText)
	renamed(m, "parseInt=int64 parseUint=int64", wholeNumber)
	renamed(m, "base64Decode=b64dec base64Encode=b64enc base64URLDecode=b64urldec base64URLEncode=b64urlenc trimSpace=trim replaceAll=replace sha256Hex=sha256sum toLower=lower toUpper=upper toUnescapedJSON=toJson toUnescapedJSONPretty=toPrettyJson", oneText)
}

// refusedOfConsul adds those that are not here.
func refusedOfConsul(m map[string]Rule) {
	refused(m, "service services node nodes datacenters connect caRoots caLeaf partitions peerings exportedServices byTag byMeta byPort", "service discovery: there is no Consul; what it knows can be kept in Parameter Store, below a path for paramChildren")
	refused(m, "nomadService nomadServices nomadVar nomadVarExists nomadVarList nomadVarListSafe", "there is no Nomad; what it knows can be kept in Parameter Store")
	refused(m, "pkiCert", noPKI)
	refused(m, "secrets", "nothing lists secrets; write their names down: {{ secret \"prod/db\" \"password\" }}")
	refused(m, "byKey explodeMap", "{{ range $name, $below := paramsTree \"/app\" }} goes over what is below a path")
	refused(m, "containsAll containsAny containsNone containsNotAll", "several questions are put together by and, or, not: {{ and (has \"a\" .list) (has \"b\" .list) }}")
	refused(m, "scratch", "a variable of the template keeps a value: {{ $x := \"a\" }}{{ $x = \"b\" }}, and {{ $d = set $d \"k\" \"v\" }} of a map")
	refused(m, "plugin", "a template runs no programs")
	refused(m, "sockaddr", "{{ imds \"local-ipv4\" }} is the address of an instance, {{ hostname }} the name of the host")
	refused(m, "timestamp", eachTime)
	refused(m, "writeToFile", "a file is written from a template of its own, under files:")
	refused(m, "spew_dump spew_printf spew_sdump spew_sprintf", "it prints values for people who look for mistakes; {{ kindOf .value }} says what kind one is")
}

const noPKI = "Vault's PKI makes a certificate for who asks; Secrets Manager and Parameter Store make nothing: keep certificate and key in a secret that its rotation or its owner renews, {{ secret \"prod/web/tls\" \"cert\" }}"

// listOf makes a rule of a form for what is below a path.
func listOf(form string, of kind) func(r *rewriter, c *call) value {
	return func(r *rewriter, c *call) value {
		v := ofPath(form, of)(r, c)
		if v.text != "" {
			v.shape.path = r.path(c.args[0], c.pos).arg()
		}
		return v
	}
}

// computed makes the rule of a function of two numbers, which in consul-template computes with
// fractions where one of them is a float64, as all of JSON are.
func computed(ours, args string) func(r *rewriter, c *call) value {
	return func(r *rewriter, c *call) value {
		if len(c.args) != 2 {
			return r.miscounted(c)
		}
		for _, a := range c.args {
			r.whole(a, c.pos)
		}
		of := func(k kind) func(value) bool { return func(v value) bool { return v.shape.kind == k } }
		switch whole := !slices.ContainsFunc(c.args, func(v value) bool { return !of(wholeNumber)(v) }); {
		case slices.ContainsFunc(c.args, of(fraction)):
			r.remark(c.pos, c.name+": fractions are computed by tens, so that 0.1 and 0.2 are 0.3, which was 0.30000000000000004")
			return c.write(ours+"f "+args, fraction)
		case whole:
			return c.write(ours+" "+args, wholeNumber)
		case ours == "div":
			return r.refuse(c.pos, "divide: the template does not tell whether these are whole numbers, of which {{ div 7 2 }} is 3, or numbers of JSON, of which it was 3.5, as {{ divf 7 2 }} is")
		}
		return c.write(ours+" "+args, anything)
	}
}

func explode(r *rewriter, c *call) value {
	if len(c.args) != 1 || c.args[0].shape.kind != pathMap {
		return r.refuse(c.pos, "explode of something else than tree PATH; paramsTree \"/app\" gives what is below a path as maps in maps")
	}
	return value{text: "paramsTree " + c.args[0].shape.path, form: command}
}

// env gives a variable of the environment. One that is only tested may be missing.
func env(r *rewriter, c *call) value {
	if len(c.args) != 1 {
		return r.miscounted(c)
	}
	if r.testing {
		return c.write(`envOr "" $1`, oneText)
	}
	return c.write("env $1", oneText)
}

func file(r *rewriter, c *call) value {
	if len(c.args) == 1 && c.args[0].written == whole && !strings.HasPrefix(c.args[0].literal, "/") {
		r.remark(c.pos, fmt.Sprintf("file: the relative path %q began in the working directory of %s, and begins beside the template here", c.args[0].literal, r.o.Program.Name))
	}
	return c.write("file $*", oneText)
}

const splitWhy = "of the empty text it gives a list of one empty text, which was an empty list"

// split takes the white space around a text away, as there.
func split(r *rewriter, c *call) value {
	if len(c.args) != 2 {
		return r.miscounted(c)
	}
	if of := c.args[1]; !strings.HasPrefix(of.text, "param ") && (of.written != whole || strings.TrimSpace(of.literal) == "") {
		r.remark(c.pos, "split: "+splitWhy)
	}
	if c.piped {
		return value{text: c.args[1].text + " | trim | splitList " + c.args[0].arg(), form: pipeForm, shape: shape{kind: textList}}
	}
	return c.write("splitList $1 (trim $2)", textList)
}

// indent indents the lines that are not empty.
func indent(r *rewriter, c *call) value {
	if len(c.args) != 2 {
		return r.miscounted(c)
	}
	n, err := strconv.Atoi(c.args[0].text)
	if err != nil || n < 0 || n > 100 {
		return r.refuse(c.pos, "indent by a number that is computed: here indent indents empty lines, too")
	}
	return c.write(fmt.Sprintf(`regexReplaceAll "(?m)^(.)" $2 %q`, strings.Repeat(" ", n)+"${1}"), oneText)
}

func contains(r *rewriter, c *call) value { return r.isIn(c, 0, 1) }

func in(r *rewriter, c *call) value { return r.isIn(c, 1, 0) }

// isIn writes the question whether an argument is in another, by what that is.
func (r *rewriter) isIn(c *call, part, of int) value {
	if len(c.args) != 2 {
		return r.miscounted(c)
	}
	form := fmt.Sprintf("$%d $%d", part+1, of+1)
	switch c.args[of].shape.kind {
	case oneText:
		return c.write("contains "+form, anything)
	case textList, wholeList, numberList:
		return c.write("has "+form, anything)
	}
	return r.refuse(c.pos, "%s: whether a text is in a text is {{ contains \"part\" TEXT }}, whether an element is in a list {{ has \"element\" LIST }}; the template does not tell which it is", c.name)
}

func execute(r *rewriter, c *call) value {
	if len(c.args) == 0 || len(c.args) > 2 {
		return r.miscounted(c)
	}
	if c.args[0].written != whole {
		return r.refuse(c.pos, "executeTemplate of a name that is computed: include takes one that is written down")
	}
	r.queue = append(r.queue, c.args[0].literal)
	if len(c.args) == 1 {
		return value{text: "include " + c.args[0].text + " .", form: command, shape: shape{kind: oneText}}
	}
	r.templates[c.args[0].literal] = c.args[1].shape
	return c.write("include $1 $2", oneText)
}

// dynamic are the paths of Vault where it makes something for who asks, by what stands there.
var dynamic = []struct {
	pattern *lazyregexp.Regexp
	what    string
}{
	{lazyregexp.New(`^(transit|totp|ssh)/|/(decrypt|encrypt|hmac|random)/`), "an engine of Vault that computes; Secrets Manager and Parameter Store keep values, and decrypt them with KMS"},
	{lazyregexp.New(`(^|/)(issue|sign|sign-verbatim|sign-intermediate|root/generate)/|(^|/)ca(_chain)?(/pem)?$`), noPKI},
	{lazyregexp.New(`(^|/)(static-creds|static-cred|static-roles?)/`), "Vault rotates it; let the rotation of Secrets Manager do so, and read {{ secret \"prod/db\" \"password\" }}"},
	{lazyregexp.New(`(^|/)(creds|cred|sts|export)/`), "a dynamic engine of Vault makes credentials for who asks; Secrets Manager rotates those of a database, {{ secret \"prod/db\" \"password\" }}, and the role of the instance stands for those of AWS"},
	{lazyregexp.New(`^(auth|sys|cubbyhole|identity)/`), "it is about Vault itself, which is not asked"},
}

// vaultSecretOf writes a secret of Vault's.
func vaultSecretOf(r *rewriter, c *call) value {
	if len(c.args) == 0 || c.args[0].written == nothing {
		return r.refuse(c.pos, "secret: the path is computed; give the names here to vars:, or write them down")
	}
	of := c.args[0]
	at := strings.Trim(of.literal, "/")
	for _, d := range dynamic {
		if d.pattern.MatchString(at) {
			return r.refuse(c.pos, "secret %q: %s", at, d.what)
		}
	}
	if len(c.args) > 1 {
		return r.refuse(c.pos, "secret %q with data writes to Vault, and reads what it answers; nothing is written here", at)
	}
	if plain, query, ok := strings.Cut(at, "?"); ok {
		return r.refuse(c.pos, "secret %q: %s of %s is Vault's; a version of Secrets Manager is {{ secretMap \"NAME:VERSION-ID\" }}", at, query, plain)
	}
	name := value{text: strconv.Quote(r.o.Name(at))}
	if of.written == pattern {
		name = value{text: fill("printf $*", append([]value{name}, of.rest...)), form: command}
	}
	v := value{text: "secretMap " + name.arg(), form: command, shape: shape{kind: vaultSecret}}
	if strings.Contains(at, "/data/") {
		v.shape.path = strconv.Quote(at)
	}
	return v
}
