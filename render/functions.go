package render

import (
	"fmt"
	"strconv"
	"sync"
	"text/template"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// pureFunctions are those that look nothing up. Nobody changes the map.
var pureFunctions = sync.OnceValue(funcs.Map)

// callable are they as templates call them. Nobody changes the map.
var callable = sync.OnceValue(func() template.FuncMap {
	m := funcs.Map()
	for name, f := range m {
		m[name] = funcs.TakesWhole(name, f)
	}
	return m
})

// lookupFunctions says for each lookup function what its ref names, which argument it is, and what
// the function gives. One that gives the text of a value as it is needs nothing more.
var lookupFunctions = map[string]struct {
	kind  sources.Kind
	arg   int
	gives shape
	name  string // what it names where no argument does
}{
	"secret":       {sources.Secret, 0, oneText, ""},
	"secretMap":    {sources.Secret, 0, anyValue, ""},
	"secretBytes":  {sources.Secret, 0, oneText, ""},
	"secretOr":     {sources.Secret, 1, oneText, ""},
	"secretExists": {sources.Secret, 0, trueOrFalse, ""},

	versionsFunction: {sources.Secret, 0, versionMap, ""},

	"param":         {sources.Param, 0, oneText, ""},
	"paramList":     {sources.Param, 0, textList, ""},
	"paramOr":       {sources.Param, 1, oneText, ""},
	"paramExists":   {sources.Param, 0, trueOrFalse, ""},
	"params":        {sources.Params, 0, textMap, ""},
	"paramsOr":      {sources.Params, 1, textMap, ""},
	"paramsExist":   {sources.Params, 0, trueOrFalse, ""},
	"paramsTree":    {sources.Params, 0, anyValue, ""},
	"paramChildren": {sources.Params, 0, pairList, ""},
	"paramDirs":     {sources.Params, 0, textList, ""},
	"file":          {sources.File, 0, oneText, ""},
	"fileOr":        {sources.File, 1, oneText, ""},
	"fileExists":    {sources.File, 0, trueOrFalse, ""},
	"imds":          {sources.IMDS, 0, oneText, ""},
	"awsRegion":     {sources.Own, 0, oneText, "region"},
	"awsAccount":    {sources.Own, 0, oneText, "account"},
}

// lookupReference is what the reference says of them, and of what is known of this machine.
var lookupReference = []functionEntry{
	{"secret", "REF [KEY…]", "a secret's text, or the value at a path of keys of its JSON, digit for digit as stored", "where there is none, no such key, null at its end, or no JSON to follow keys in", `{{ secret "prod/db" "username" }}`, "app"},
	{"secretMap", "REF [KEY…]", "the decoded JSON of a secret, or of the part at the keys, for range, with and index", "where there is none, no such key, or no JSON", `{{ range $k, $v := secretMap "prod/db" "limits" }}{{ $k }}={{ $v }} {{ end }}`, "max=20 min=5 "},
	{"secretBytes", "REF", "a binary secret", "where it holds text", `{{ secretBytes "prod/keystore" | b64enc }}`, "/u3+7Q=="},
	{"secretOr", "DEFAULT REF [KEY…]", "a secret, or the default where there is none, no such key, or null", failsDenied, `{{ secretOr "5432" "prod/db" "port" }}`, "5432"},
	{"secretExists", "REF [KEY…]", "whether there is a secret, and a value at the keys", "where it is denied or cannot be asked for, or has no JSON to follow keys in", `{{ secretExists "prod/db" "replica" }}`, "false"},
	{versionsFunction, "REF [KEY…]", "the current and the previous version of a secret, or the values at the keys, as .current and .previous; the latter is nothing where there is none", "where there is no secret, or no such key in its current version; where one is denied or cannot be asked for, or has no JSON to follow keys in", `{{ $v := secretVersions "prod/db" "password" }}{{ $v.current }} {{ $v.previous }}`, "hunter2 hunter1"},
	{"param", "REF", "the text of a parameter", failsAbsent, `{{ param "/app/host" }}`, "db.example.com"},
	{"paramList", "REF", "the parts of a StringList, as a list", "where there is none, or it is none", `{{ range paramList "/app/zones" }}{{ . }};{{ end }}`, "a;b;"},
	{"paramOr", "DEFAULT REF", "a parameter, or the default where there is none", failsDenied, `{{ paramOr "info" "/app/level" }}`, "info"},
	{"paramExists", "REF", "whether there is a parameter", failsDenied, `{{ if paramExists "/app/host" }}yes{{ end }}`, "yes"},
	{"params", "PATH", "all parameters under a path, as a map by the rest of their names", failsAbsent, `{{ range $name, $text := params "/app/servers" }}{{ $name }}={{ $text }} {{ end }}`, "eu/b=10.1.0.2 web-1=10.0.0.1 web-2=10.0.0.2 "},
	{"paramsOr", "MAP PATH", "all parameters under a path, or the map where there is none", "where it is denied or cannot be asked for, or the default is no map of texts", `{{ range $name, $text := paramsOr dict "/app/none" }}{{ $name }}{{ else }}down{{ end }}`, "down"},
	{"paramsExist", "PATH", "whether there is a parameter under a path", failsDenied, `{{ paramsExist "/app/none" }}`, "false"},
	{"paramsTree", "PATH", "all parameters under a path, as maps in maps", "where there is none, or one is a path as well", `{{ (paramsTree "/app/servers").eu.b }}`, "10.1.0.2"},
	{"paramChildren", "PATH", "the parameters directly below a path, sorted, each with .Key and .Value", failsAbsent, `{{ range paramChildren "/app/servers" }}{{ .Key }}={{ .Value }} {{ end }}`, "web-1=10.0.0.1 web-2=10.0.0.2 "},
	{"paramDirs", "PATH", "the names of the paths directly below a path, sorted", failsAbsent, `{{ range paramDirs "/app/servers" }}{{ . }}{{ end }}`, "eu"},
	{"file", "PATH", "the content of a local file, of up to 16 MiB; a relative path begins beside the template", "where there is none, it cannot be read, or does not answer", `{{ file "motd" | trim }}`, "welcome"},
	{"fileOr", "DEFAULT PATH", "a local file, or the default where there is none", "where it cannot be read", `{{ fileOr "none" "nothing" }}`, "none"},
	{"fileExists", "PATH", "whether there is a local file", "where it cannot be read", `{{ fileExists "motd" }}`, "true"},
	{"env", "NAME", "a variable of the environment of rendered", "where it is not set", `{{ env "STAGE" }}`, "prod"},
	{"envOr", "DEFAULT NAME", "a variable of the environment, or the default where it is not set; one that is set to nothing is the empty text", "", `{{ envOr "8080" "PORT" }}`, "8080"},
	{"hostname", "", "the name of this host", "", `{{ hostname }}`, "web-1"},
	{"imds", "PATH", "what the instance metadata of EC2 says at a path", failsAbsent, `{{ imds "placement/region" }}`, "eu-west-1"},
	{"awsRegion", "", "the Region that AWS is asked in", "where it is not known", `{{ awsRegion }}`, "eu-west-1"},
	{"awsAccount", "", "the account that AWS is asked in", "where AWS does not say", `{{ awsAccount }}`, "111111111111"},
}

// runFunctions are the functions that know the run that calls them, and what binds each to a run.
// Those that are named get the number of their call before what the template gives them (guard.go).
// Nobody changes the map.
var runFunctions = sync.OnceValue(func() map[string]func(*run) any {
	m := map[string]func(*run) any{
		"secret":       keyed((*lookupResult).secret),
		"secretMap":    keyed((*lookupResult).secretMap),
		"secretBytes":  unkeyed((*lookupResult).secretBytes),
		"secretOr":     func(r *run) any { return r.secretOr },
		"secretExists": func(r *run) any { return r.secretExists },

		versionsFunction: func(r *run) any { return r.secretVersions },

		"param":         unkeyed((*lookupResult).text),
		"paramOr":       func(r *run) any { return r.textOr },
		"paramExists":   func(r *run) any { return r.exists },
		"paramList":     unkeyed((*lookupResult).paramList),
		"params":        unkeyed((*lookupResult).params),
		"paramsOr":      func(r *run) any { return r.paramsOr },
		"paramsExist":   func(r *run) any { return r.exists },
		"paramsTree":    unkeyed((*lookupResult).paramsTree),
		"paramChildren": unkeyed((*lookupResult).paramChildren),
		"paramDirs":     unkeyed((*lookupResult).paramDirs),
		"file":          unkeyed((*lookupResult).text),
		"fileOr":        func(r *run) any { return r.textOr },
		"fileExists":    func(r *run) any { return r.exists },
		"imds":          unkeyed((*lookupResult).text),
		"env":           func(r *run) any { return r.env },
		"envOr":         func(r *run) any { return r.t.envOr },
		"hostname":      func(r *run) any { return func() string { return r.t.Hostname } },
		"include":       func(r *run) any { return r.include },
	}
	for name, f := range lookupFunctions {
		if f.name != "" {
			m[name] = func(r *run) any { return func() (string, error) { return r.fixed(f.kind, f.name) } }
		}
	}
	return m
})

// called gives the functions that the template calls, but for text/template's own.
func (r *run) called() template.FuncMap {
	called := template.FuncMap{tickFunction: r.tick, enterFunction: r.enter, leaveFunction: r.leave, printFunction: r.printer()}
	if r.t.notesItems {
		called[itemFunction] = r.item
	}
	for _, x := range r.t.texts {
		for _, name := range x.called {
			if bind := runFunctions()[name]; bind != nil {
				called[name] = bind(r)
			} else if f := callable()[name]; f != nil {
				called[name] = f
			}
		}
	}
	return called
}

// printer gives what prints a value: that of the run where it is to know what was printed.
func (r *run) printer() any {
	if r.t.notesPrints() {
		return r.print
	}
	return funcs.Print
}

// keyed makes a function of a template that takes a name and keys that lead into a secret.
func keyed[T any](gives func(*lookupResult) (T, error)) func(*run) any {
	return func(r *run) any {
		return func(number int, name any, keys ...any) (T, error) { return lookUp(r, gives, number, name, keys) }
	}
}

// unkeyed makes one that takes a name alone.
func unkeyed[T any](gives func(*lookupResult) (T, error)) func(*run) any {
	return func(r *run) any {
		return func(number int, name any) (T, error) { return lookUp(r, gives, number, name, nil) }
	}
}

func lookUp[T any](r *run, gives func(*lookupResult) (T, error), number int, name any, keys []any) (value T, _ error) {
	f, err := r.get(number, name, keys)
	if err != nil {
		return value, err
	}
	return gives(f)
}

// secretOr gives a secret, or the default where it or a key does not exist.
func (r *run) secretOr(number int, fallback, name any, keys ...any) (string, error) {
	text, err := lookUp(r, (*lookupResult).secret, number, name, keys)
	return or(fallback, text, err)
}

// secretExists reports that a secret is there, and a value at the keys.
func (r *run) secretExists(number int, name any, keys ...any) (bool, error) {
	_, err := lookUp(r, (*lookupResult).existing, number, name, keys)
	return exists(err)
}

// textOr gives a text, or the default where it does not exist.
func (r *run) textOr(number int, fallback, name any) (string, error) {
	text, err := lookUp(r, (*lookupResult).text, number, name, nil)
	return or(fallback, text, err)
}

// exists reports that what a name stands for is there.
func (r *run) exists(number int, name any) (bool, error) {
	_, err := r.get(number, name, nil)
	return exists(err)
}

// exists makes of a lookup's error whether what it asks for is there. That AWS refuses to say, or
// cannot be asked, stays an error.
func exists(err error) (bool, error) {
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// or gives the default for a text that does not exist.
func or(fallback any, text string, err error) (string, error) {
	if missing(err) {
		return funcs.Print(fallback)
	}
	return text, err
}

// get looks up what a named function gives, by the number of its call. The keys are those that the
// call follows into a secret.
func (r *run) get(number int, name any, keys []any) (*lookupResult, error) {
	c := r.named[number]
	fn := lookupFunctions[calledBy(c)]
	text, ok := name.(string)
	if !ok {
		return nil, &lookupError{what: fmt.Sprintf("the name of a %s is text, not %s", fn.kind, funcs.TypeName(name))}
	}
	ref, known := r.t.known[argument{c, fn.arg, text}]
	f := &lookupResult{run: r, call: c, afterSecret: r.readSecret, hidden: r.readSecret && !known, keys: keys}
	if ref == nil {
		computed, err := r.t.refFor(calledBy(c), text)
		if err != nil {
			shown := strconv.Quote(text)
			if f.hidden {
				shown = hiddenName
			}
			return nil, &lookupError{what: fmt.Sprintf("%s %s: %v", fn.kind, shown, err)}
		}
		ref = &computed
	}
	if calledBy(c) == versionsFunction {
		r.snapshot.Want(r.ctx, []sources.Ref{*ref, ref.Previous()})
	}
	return f, f.fetch(*ref)
}

// fetch gets the value of a ref.
func (f *lookupResult) fetch(ref sources.Ref) (err error) {
	f.ref = ref
	f.run.Asked = append(f.run.Asked, ref)
	f.run.waiting(func() { f.value, err = f.run.snapshot.Get(f.run.ctx, ref) })
	if err != nil {
		return f.refused(err)
	}
	if f.value.Secret {
		f.run.readSecret = true
	}
	return nil
}

// recordText notes what a lookup gives, with the keys that lead to it, and gives it.
func (f *lookupResult) recordText(keys, text string) string {
	if !f.run.full() {
		f.run.lookedUp = append(f.run.lookedUp, lookupText{f.String() + keys, text})
	}
	return text
}

// text gives a text as it is.
func (f *lookupResult) text() (string, error) { return f.recordText("", f.value.Text), nil }

func (f *lookupResult) secret() (string, error) {
	text, err := f.textAt(f.keys)
	if err != nil {
		return "", err
	}
	return f.recordText(f.path(f.keys), text), nil
}

func (f *lookupResult) secretBytes() (string, error) {
	if f.value.Bytes == nil {
		return "", &lookupError{what: f.String() + " holds text, not bytes", hints: f.hint("{{ secret %q }}")}
	}
	return f.recordText("", string(f.value.Bytes)), nil
}

// existing follows the keys into a secret, for whether they lead to something. Bytes have no keys.
func (f *lookupResult) existing() (_ string, err error) {
	if len(f.keys) > 0 {
		_, err = f.textAt(f.keys)
	}
	return "", err
}

// fixed looks up what no argument names.
func (r *run) fixed(kind sources.Kind, name string) (string, error) {
	f := &lookupResult{run: r}
	if err := f.fetch(sources.Ref{Kind: kind, Name: name}); err != nil {
		return "", err
	}
	return f.text()
}

func (r *run) env(number int, name string) (string, error) {
	if value, ok := r.t.env(name); ok {
		return value, nil
	}
	shown := strconv.Quote(name)
	if r.readSecret && !r.t.isKnown(r.named[number], 0, name) {
		shown = hiddenName
	}
	return "", &lookupError{what: fmt.Sprintf("environment variable %s is not set", shown)}
}

// envOr gives a variable of the environment, or the default where it is not set. One that is set to
// nothing is the empty text.
func (t *Template) envOr(fallback any, name string) (string, error) {
	if value, ok := t.env(name); ok {
		return value, nil
	}
	return funcs.Print(fallback)
}

// missing reports that the value itself does not exist; denied or out of reach is another matter.
func missing(err error) bool {
	e, ok := unwrap(err)
	if !ok {
		return false
	}
	switch cause := e.cause.(type) {
	case *sources.Error:
		return cause.Reason == sources.Missing
	case noKey:
		return true
	}
	return false
}
