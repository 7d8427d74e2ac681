package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// confdReader reads a directory of confd.
type confdReader struct {
	o     Options
	s     *setup
	dir   string
	asked string // the backend
}

// readConfd reads a directory of confd: conf.d and templates, and confd.toml where it is there.
func readConfd(o Options, s *setup) error {
	r := confdReader{o: o, s: s, dir: o.Paths[0], asked: o.Backend}
	s.program, s.schedule = rewrite.Confd, o.Interval
	if err := r.main(); err != nil {
		return err
	}
	paths, err := resources(filepath.Join(r.dir, "conf.d"))
	if err != nil || len(paths) == 0 {
		return fault.List{{Place: fault.Place{File: r.dir}, What: "no file conf.d/*.toml is there", Hints: []string{"name the directory of confd, /etc/confd by default"}, Err: err}}
	}
	r.aboutBackend()
	for _, path := range paths {
		if err := r.resource(path); err != nil {
			return err
		}
	}
	return nil
}

// resources gives the files of a directory, and of those in it, whose names end in .toml.
func resources(dir string) (paths []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".toml") {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

// tomlFile reads a file of TOML.
func tomlFile(path string) (table map[string]any, text string, err error) {
	data, err := readFile(path, maxConfig)
	if err != nil {
		return nil, "", fault.List{{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}}
	}
	if _, err := toml.Decode(string(data), &table); err != nil {
		f := &fault.Fault{Place: fault.Place{File: path}, What: "it is no TOML", Err: err}
		if e := (toml.ParseError{}); errors.As(err, &e) {
			f.Place.Line, f.Place.Column, f.What = e.Position.Line, e.Position.Col, "it is no TOML"+unquoted(e.Message)
		}
		return nil, "", fault.List{f}
	}
	return table, string(data), nil
}

// unquoted gives the message of a parser behind a colon, where it quotes nothing of the text, which
// may hold a password.
func unquoted(message string) string {
	if strings.ContainsAny(message, "\"'`") {
		return ""
	}
	return ": " + message
}

// lineOf gives the place of a key in a text of TOML.
func lineOf(path, text, key string) fault.Place {
	at := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(key) + `[ \t]*=`).FindStringIndex(text)
	if at == nil {
		return fault.Place{File: path}
	}
	return fault.Place{File: path, Line: strings.Count(text[:at[0]], "\n") + 1}
}

// leftOut are keys of confd.toml that say how its backend is reached, or how it runs.
var leftOut = "auth_token auth_type basic_auth client_cakeys client_cert client_key client_insecure confdir nodes noop onetime password role_id scheme secret_id secret_keyring srv_domain srv_record table separator username app_id user_id path file filter keep-stage-file config-file version"

// main reads confd.toml. Flags go before it.
func (r *confdReader) main() error {
	path := filepath.Join(r.dir, "confd.toml")
	table, text, err := tomlFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		value, at := table[key], lineOf(path, text, key)
		switch known := key; {
		case known == "backend":
			r.asked = r.text(r.asked, value, key, at)
		case known == "prefix":
			r.o.Prefix = r.text(r.o.Prefix, value, key, at)
		case known == "interval":
			r.interval(value, at)
		case known == "log-level" || known == "log_level":
			r.s.logLevel = level(fmt.Sprint(value))
		case known == "watch" || known == "sync-only" || known == "sync_only":
			if value == true {
				r.s.remarks = append(r.s.remarks, note(at, key+": rendered looks on its schedule, and at once where a queue is set (triggers:); who is told is told of every change"))
			}
		case slices.Contains(strings.Fields(leftOut), known):
			r.s.remarks = append(r.s.remarks, note(at, key+" is left out: it is about the backend or the process of confd"))
		default:
			r.s.remarks = append(r.s.remarks, todo(at, key+": not known"))
		}
	}
	return nil
}

// maxInterval is the longest period of a schedule, in seconds.
const maxInterval = 365 * 24 * 60 * 60

// interval reads the seconds between two looks.
func (r *confdReader) interval(value any, at fault.Place) {
	seconds, ok := value.(int64)
	switch {
	case !ok || seconds < 1 || seconds > maxInterval:
		r.s.remarks = append(r.s.remarks, todo(at, "interval: here must be a whole number of seconds, a year of them at most; set schedule"))
	case r.s.schedule == 0:
		r.s.schedule = time.Duration(seconds) * time.Second
	}
}

// text reads a text, before which a flag goes.
func (r *confdReader) text(given string, value any, key string, at fault.Place) string {
	text, ok := value.(string)
	if !ok {
		r.s.remarks = append(r.s.remarks, todo(at, key+": here must be a text"))
	}
	return cmp.Or(given, text)
}

// level gives a level of the log.
func level(name string) string {
	switch strings.ToLower(name) {
	case "debug", "trace":
		return "debug"
	case "warn", "warning", "err", "error", "fatal", "panic":
		return map[bool]string{true: "warn", false: "error"}[strings.HasPrefix(strings.ToLower(name), "warn")]
	}
	return ""
}

// aboutBackend says where the values are to be.
func (r *confdReader) aboutBackend() {
	at := fault.Place{File: r.dir}
	switch r.asked {
	case "ssm", "env", "secretsmanager":
	case "":
		r.s.remarks = append(r.s.remarks, note(at, "which backend it was is not told: keys become parameters of Parameter Store; --backend env or secretsmanager makes something else of them"))
	default:
		r.s.remarks = append(r.s.remarks, note(at, "the values of "+r.asked+" are to be in Parameter Store under the same names, with a / before them"))
	}
	if r.s.schedule == 0 {
		r.s.remarks = append(r.s.remarks, note(at, "confd looks every 600 seconds unless it is told otherwise, rendered every five minutes; --interval says another"))
	}
}

// backendOf gives the backend that a name stands for.
func backendOf(name string) rewrite.Backend {
	switch name {
	case "env":
		return rewrite.Variables
	case "secretsmanager":
		return rewrite.Secrets
	}
	return rewrite.Parameters
}

// resource reads a file of conf.d.
func (r *confdReader) resource(path string) error {
	table, text, err := tomlFile(path)
	if err != nil {
		return err
	}
	f := file{place: fault.Place{File: path}, mode: "0644", interval: r.s.schedule, prefix: r.o.Prefix, backend: backendOf(r.asked), comments: commentsOf(text)}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		at := lineOf(path, text, key)
		switch inner, isTable := table[key].(map[string]any); {
		case key == "template" && isTable:
		case key == "backend" && isTable:
			name, _ := inner["backend"].(string)
			f.backend = backendOf(name)
			r.s.remarks = append(r.s.remarks, note(fault.Place{File: path}, "the values of "+name+" are those of this file alone"))
		default:
			f.todo = append(f.todo, todo(at, key+": not known"))
		}
	}
	template, _ := table["template"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(template)) {
		at := lineOf(path, text, key)
		if what := wrongKind(key, template[key]); what != "" {
			f.todo = append(f.todo, todo(at, key+": here must be "+what+", and confd reads nothing else"))
		} else if !r.key(&f, key, template[key], at) {
			f.todo = append(f.todo, todo(at, key+": not known"))
		}
	}
	return r.templateOf(f)
}

// templateOf reads the template of a resource, and adds it.
func (r *confdReader) templateOf(f file) error {
	f.at = filepath.Join(r.dir, "templates", f.name)
	data, err := readFile(f.at, maxTemplate)
	if f.name == "" || err != nil {
		if err == nil || f.name == "" {
			err = errors.New("src is missing")
		}
		f.todo, f.missing = append(f.todo, todo(f.place, "the template: "+disk.Reason(err).Error())), true
	}
	if f.path == "" {
		return fault.List{{Place: f.place, What: "dest is missing", Hints: []string{"it is no template resource of confd"}}}
	}
	f.text = string(data)
	r.s.files = append(r.s.files, f)
	return nil
}

// commentsOf gives the comments of a text of TOML.
func commentsOf(text string) (list []string) {
	for line := range strings.Lines(text) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#"); ok && strings.TrimSpace(comment) != "" {
			list = append(list, strings.TrimSpace(comment))
		}
	}
	return list
}

// wrongKind says what must stand at a key of a resource, where something else does.
func wrongKind(key string, value any) string {
	_, text := value.(string)
	_, number := value.(int64)
	list, isList := value.([]any)
	switch key {
	case "src", "dest", "prefix", "check_cmd", "reload_cmd", "output_format", "owner", "group":
		if !text {
			return "a text"
		}
	case "mode", "uid", "gid":
		if !text && !number {
			return "a text or a number"
		}
	case "keys":
		if !isList || slices.ContainsFunc(list, func(k any) bool { _, text := k.(string); return !text }) {
			return "a list of texts"
		}
	}
	return ""
}

var ofSource = lazyregexp.New(`\{\{-?\s*\.src\s*-?\}\}`)

// key reads one key of a resource. It reports whether it is known.
func (r *confdReader) key(f *file, key string, value any, at fault.Place) bool {
	text := fmt.Sprint(value)
	switch key {
	case "src":
		f.name = text
	case "dest":
		f.path = text
	case "keys":
		list, _ := value.([]any)
		for _, k := range list {
			f.keys = append(f.keys, fmt.Sprint(k))
		}
	case "prefix":
		if f.prefix != "" {
			r.s.remarks = append(r.s.remarks, note(at, "prefix: the prefix of all and that of the resource stand before its keys, one behind the other; confd 0.16 takes that of all alone"))
		}
		f.prefix = filepath.Join("/", f.prefix, text)
	case "uid", "owner", "gid", "group":
		f.own(key, text)
	case "mode":
		r.mode(f, text, at)
	case "check_cmd":
		r.check(f, text, at)
	case "reload_cmd":
		f.commands = append(f.commands, command{shell: r.withPaths(f, text, at)})
	case "output_format":
		f.format = strings.Replace(text, "yml", "yaml", 1)
	case "min_reload_interval", "debounce":
		r.s.remarks = append(r.s.remarks, note(at, key+": "+text+"; here min_interval of a service is the least time between two notices, and settle how long changes are gathered"))
		f.todo = append(f.todo, todo(at, key+" = "+text+": set min_interval of the service, or settle"))
	default:
		return false
	}
	return true
}

// own takes an owner or a group, a name before a number; -1 is who runs confd.
func (f *file) own(key, text string) {
	owner, group, _ := strings.Cut(f.owner, ":")
	switch {
	case text == "-1":
		return
	case key == "owner" || key == "uid" && owner == "":
		owner = text
	case key == "group" || key == "gid" && group == "":
		group = text
	}
	if f.owner = owner; group != "" {
		f.owner += ":" + group
	}
}

// mode reads a mode as confd does, for which 644 without a 0 before it is a decimal number.
func (r *confdReader) mode(f *file, text string, at fault.Place) {
	mode, err := strconv.ParseUint(text, 0, 32)
	switch {
	case text == "":
		return
	case err == nil && mode > 0o777 && text[0] == '0':
		f.mode = fmt.Sprintf("%04o", mode&0o777)
		f.todo = append(f.todo, todo(at, fmt.Sprintf("mode %q: set-user-id, set-group-id and sticky are not set here", text)))
	case err != nil || mode > 0o777:
		f.mode = "0600"
		f.todo = append(f.todo, todo(at, fmt.Sprintf("mode %q is no octal number with a 0 before it, so that confd reads another than is meant; until somebody has said which, it is 0600", text)))
	default:
		f.mode = fmt.Sprintf("%04o", mode)
	}
}

// check reads a check. One without {{.src}} tests the file that is there.
func (r *confdReader) check(f *file, text string, at fault.Place) {
	switch {
	case strings.TrimSpace(text) == "" || text == "true" || text == "/bin/true":
	case strings.Contains(ofSource.ReplaceAllString(text, ""), "{{"):
		f.todo = append(f.todo, todo(at, "check_cmd is a template with more than {{.src}}: write it as check: of the file, where {} is the new file"))
		f.comments = append(f.comments, "check_cmd = "+text)
	case ofSource.MatchString(text) && strings.Contains(text, "{}"):
		f.todo = append(f.todo, todo(at, "check_cmd has {{.src}} and {}, which is the new file in check: of a file: put the command into a script"))
		f.comments = append(f.comments, "check_cmd = "+text)
	case ofSource.MatchString(text):
		f.check = ofSource.ReplaceAllString(text, "{}")
	case strings.Contains(text, "{}"):
		f.todo = append(f.todo, todo(at, "check_cmd has no {{.src}}, and tests the old file; its {} would be the new one in check: of a file, and check: of a service takes none: put the command into a script"))
		f.comments = append(f.comments, "check_cmd = "+text)
	default:
		f.checkAll = text
		r.s.remarks = append(r.s.remarks, note(at, "check_cmd has no {{.src}}: with confd it tests the old file, before the new one takes its place; here it is the check of the service, which sees the new files in their places"))
	}
}

// withPaths puts the destination into a command of a fork that names it.
func (r *confdReader) withPaths(f *file, text string, at fault.Place) string {
	if ofSource.MatchString(text) {
		f.todo = append(f.todo, todo(at, "reload_cmd with {{.src}}: when it runs, the new file is in its place"))
	}
	return regexp.MustCompile(`\{\{-?\s*\.dest\s*-?\}\}`).ReplaceAllLiteralString(text, f.path)
}
