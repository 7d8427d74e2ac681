package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/BurntSushi/toml"
)

// A confdStore stands in for confd 0.16, which is no longer to be had as a program: its functions,
// as its documentation has them, over keys that its backend gave.
type confdStore map[string]string

type confdPair struct{ Key, Value string }

func (s confdStore) get(key string) (confdPair, error) {
	value, ok := s[path.Join("/", key)]
	if !ok {
		return confdPair{}, fmt.Errorf("key %s does not exist", key)
	}
	return confdPair{key, value}, nil
}

func (s confdStore) gets(pattern string) (list []confdPair) {
	for key, value := range s {
		if ok, _ := path.Match(pattern, key); ok {
			list = append(list, confdPair{key, value})
		}
	}
	slices.SortFunc(list, func(a, b confdPair) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// below gives the first part of each key below a path, of paths alone where dirs is set.
func (s confdStore) below(of string, dirs bool) (list []string) {
	for key := range s {
		rest, ok := strings.CutPrefix(key, strings.TrimSuffix(of, "/")+"/")
		first, _, isDir := strings.Cut(rest, "/")
		if ok && (isDir || !dirs) && !slices.Contains(list, first) {
			list = append(list, first)
		}
	}
	slices.Sort(list)
	return list
}

func (s confdStore) functions(getenv func(string) string) template.FuncMap {
	whole := func(f func(a, b int) int) func(a, b int) int { return f }
	return template.FuncMap{
		"get": s.get, "gets": s.gets,
		"getv": func(key string, or ...string) (string, error) {
			p, err := s.get(key)
			if err != nil && len(or) > 0 {
				return or[0], nil
			}
			return p.Value, err
		},
		"getvs": func(pattern string) (list []string) {
			for _, p := range s.gets(pattern) {
				list = append(list, p.Value)
			}
			slices.Sort(list)
			return list
		},
		"exists": func(key string) bool { _, err := s.get(key); return err == nil },
		"ls":     func(of string) []string { return s.below(of, false) },
		"lsdir":  func(of string) []string { return s.below(of, true) },
		"base":   path.Base, "dir": path.Dir, "split": strings.Split, "join": strings.Join, "replace": strings.Replace,
		"toUpper": strings.ToUpper, "toLower": strings.ToLower, "contains": strings.Contains, "trimSuffix": strings.TrimSuffix,
		"atoi": strconv.Atoi, "parseBool": strconv.ParseBool,
		"json": decoded[map[string]any], "jsonArray": decoded[[]any],
		"base64Encode": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
		"base64Decode": func(text string) (string, error) {
			b, err := base64.StdEncoding.DecodeString(text)
			return string(b), err
		},
		"getenv": func(name string, or ...string) string {
			if value := getenv(name); value != "" || len(or) == 0 {
				return value
			}
			return or[0]
		},
		"map": func(pairs ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i < len(pairs); i += 2 {
				m[pairs[i].(string)] = pairs[i+1]
			}
			return m
		},
		"seq": func(first, last int) (list []int) {
			for i := first; i <= last; i++ {
				list = append(list, i)
			}
			return list
		},
		"reverse":    func(list []string) []string { slices.Reverse(list); return list },
		"fileExists": func(path string) bool { _, err := os.Stat(path); return err == nil },
		"add":        whole(func(a, b int) int { return a + b }), "sub": whole(func(a, b int) int { return a - b }),
		"mul": whole(func(a, b int) int { return a * b }), "div": whole(func(a, b int) int { return a / b }), "mod": whole(func(a, b int) int { return a % b }),
	}
}

func decoded[T any](text string) (value T, err error) {
	err = json.Unmarshal([]byte(text), &value)
	return value, err
}

// confdWrites gives what confd writes for a case, by the paths of the files.
func confdWrites(t *testing.T, m *migration) map[string]string {
	t.Helper()
	getenv := func(name string) string {
		for _, v := range m.data["env"] {
			if v[0] == name {
				return v[1]
			}
		}
		return ""
	}
	paths, err := filepath.Glob(filepath.Join(m.dir, "old/conf.d/*.toml"))
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, file := range paths {
		var r struct {
			Template struct {
				Src, Dest, Prefix string
				Keys              []string
			}
		}
		if _, err := toml.DecodeFile(file, &r); err != nil {
			t.Fatal(err)
		}
		prefix := path.Join("/", m.flag("--prefix"), r.Template.Prefix)
		s := m.confdStore(prefix, r.Template.Keys)
		text, err := template.New(r.Template.Src).Funcs(s.functions(getenv)).ParseFiles(filepath.Join(m.dir, "old/templates", r.Template.Src))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := text.Execute(&b, nil); err != nil {
			t.Fatal(err)
		}
		written[r.Template.Dest] = b.String()
	}
	return written
}

// flag gives the value of a flag of migrate.
func (m *migration) flag(name string) string {
	if i := slices.Index(m.words, name); i >= 0 {
		return m.words[i+1]
	}
	return ""
}

// confdStore gives the keys that confd has asked its backend for, without the prefix.
func (m *migration) confdStore(prefix string, keys []string) confdStore {
	all := map[string]string{}
	switch m.flag("--backend") {
	case "env":
		for _, v := range m.data["env"] {
			all["/"+strings.ToLower(strings.ReplaceAll(v[0], "_", "/"))] = v[1]
		}
	case "secretsmanager":
		for _, s := range m.data["secret"] {
			var fields map[string]any
			if json.Unmarshal([]byte(s[1]), &fields) != nil {
				all["/"+s[0]] = s[1]
			}
			for k, v := range fields {
				all["/"+s[0]+"/"+k] = fmt.Sprint(v)
			}
		}
	default:
		for _, p := range m.data["param"] {
			all[path.Join("/", p[0])] = p[1]
		}
	}
	s := confdStore{}
	for name, value := range all {
		for _, k := range keys {
			if of := path.Join(prefix, k); name == of || strings.HasPrefix(name, strings.TrimSuffix(of, "/")+"/") {
				s[path.Join("/", strings.TrimPrefix(name, prefix))] = value
			}
		}
	}
	return s
}
