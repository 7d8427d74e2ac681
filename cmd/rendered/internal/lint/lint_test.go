package lint

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/render"
)

// warned gives the rules that find something in the services of a config.
func warned(t *testing.T, services string, change func(*config.Config)) []string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	if err := os.WriteFile(path, []byte("services:\n"+strings.ReplaceAll(services, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wide"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "wide"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config.Load(path, config.Options{})
	if faults := cfg.All(); len(faults) > 0 {
		t.Fatal(faults)
	}
	if change != nil {
		change(cfg)
	}
	var list []Service
	for i := range cfg.Services {
		s := Service{Service: &cfg.Services[i]}
		for _, f := range s.Files {
			tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: f.Template.Content}, Left: f.Left, Right: f.Right})
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			s.Templates = append(s.Templates, tmpl)
		}
		list = append(list, s)
	}
	var rules []string
	for _, f := range Warnings(cfg, list) {
		last := f.Hints[len(f.Hints)-1]
		_, rule, _ := strings.Cut(last, "allow: [")
		rule, _, _ = strings.Cut(rule, "]")
		rules = append(rules, rule)
		if f.Place.Line == 0 || len(f.Hints) < 2 {
			t.Errorf("%v has no place or no remedy: %q", f, f.Hints)
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// one gives a service with one file and one notice; keys of the file stand in front.
func one(file, notice string) string {
	s := "  a:\n    files: [{" + file + "}]\n"
	if notice != "" {
		s += "    notify: [" + notice + "]\n"
	}
	return s
}

func TestWarnings(t *testing.T) {
	const password, key, plain = `content: "{{ secret \"a\" \"password\" }}", path: DIR/f`, `content: "{{ secret \"a\" \"key\" }}", path: DIR/f`, `content: "{{ param \"/a\" }}", path: DIR/f`
	for services, want := range map[string]string{
		one(password, ""):                                                                    "",
		one(password+", mode: 0640", ""):                                                     "",
		one(password+", mode: 0644", ""):                                                     "wide-secret",
		one(password+", mode: 0660", ""):                                                     "wide-secret",
		one(password+", mode: 0604", ""):                                                     "wide-secret",
		one(password+", mode: 0700", ""):                                                     "wide-secret",
		one(strings.Replace(password, "DIR/f", "DIR/wide", 1), ""):                           "wide-secret",
		one(strings.Replace(password, "DIR/f", "DIR/wide", 1)+", mode: 0600", ""):            "",
		one(strings.Replace(plain, "DIR/f", "DIR/wide", 1), ""):                              "",
		one(`content: "{{ file \"/run/secrets/api_token\" }}", path: DIR/f, mode: 0644`, ""): "wide-secret",
		one(`content: "{{ toJson (params \"/a/secrets\") }}", path: DIR/f, mode: 0644`, ""):  "wide-secret",
		one(`content: "{{ file \"/etc/motd\" }}{{ awsRegion }}{{ imds \"placement/region\" }}", path: DIR/f, mode: 0644`, ""):                 "",
		one(`content: "{{ if secretExists \"a\" \"password\" }}x{{ end }}{{ paramExists \"/a/password\" }}\n", path: DIR/f, mode: 0644`, ""):  "",
		one(`content: "{{ if secretExists (param \"/n\") }}x{{ end }}{{ fileExists \"/run/token\" }}\n", path: DIR/site.key, mode: 0644`, ""): "",
		one(`content: "{{ fileOr \"\" \"/run/api_token\" }}", path: DIR/f, mode: 0644`, ""):                                                   "wide-secret",
		one(`content: "{{ param \"/a/db_password\" }}", path: DIR/f, mode: 0644`, ""):                                                         "wide-secret",
		one(`content: "{{ secretOr \"x\" \"a\" \"token\" }}", path: DIR/f, mode: 0644`, ""):                                                   "wide-secret",
		one(`content: "{{ secretBytes \"a\" }}", path: DIR/f, mode: 0644`, ""):                                                                "wide-secret",
		one(`content: "{{ secret \"a\" }}", path: DIR/f, mode: 0644`, ""):                                                                     "wide-secret",
		one(`content: "{{ secret \"prod/ca-cert\" }}", path: DIR/f, mode: 0644`, ""):                                                          "",
		one(`content: "{{ secret \"a\" \"cert\" }}{{ secret \"a\" \"chain\" }}", path: DIR/f, mode: 0644`, ""):                                "",
		one(`content: "{{ secret \"a\" \"cert\" }}{{ secret \"a\" \"password\" }}", path: DIR/f, mode: 0644`, ""):                             "wide-secret",
		one(`content: "{{ with secretMap \"a\" }}{{ .cert }}{{ end }}", path: DIR/f, mode: 0644`, ""):                                         "",
		one(`content: "{{ with secretMap \"a\" }}{{ .cert }}{{ .pin }}{{ end }}", path: DIR/f, mode: 0644`, ""):                               "wide-secret",
		one(`content: "{{ range $k, $v := secretMap \"a\" }}{{ $v }}{{ end }}", path: DIR/f, mode: 0644`, ""):                                 "wide-secret",
		one(`content: "{{ secretMap \"a\" | toJson }}", path: DIR/f, mode: 0644`, ""):                                                         "wide-secret",
		one(`content: "{{ $x := \"\" }}{{ $x = secret \"a\" \"password\" }}{{ $x }}", path: DIR/f, mode: 0644`, ""):                           "wide-secret",
		one(`content: "{{ secret (param \"/name\") \"password\" }}", path: DIR/f, mode: 0644`, ""):                                            "wide-secret",
		one(`content: "{{ secret \"db\" \"host\" }}", path: DIR/f, mode: 0644`, ""):                                                           "",
		one(key+", mode: 0640", ""): "",
		one(key+", mode: 0644", ""): "wide-key",
		one(`content: "{{ secret \"a\" }}", path: DIR/site.key, mode: 0644`, ""):                                                                            "wide-key",
		one(`content: "{{ secret \"a\" \"api_key\" }}", path: DIR/f, mode: 0644`, ""):                                                                       "wide-secret",
		one(`content: "A={{ secret \"a\" \"password\" }}\n", path: DIR/f, format: dotenv`, ""):                                                              "unquoted",
		one(`content: "A={{ secret \"a\" \"password\" }}\n", path: DIR/f.env`, ""):                                                                          "unquoted",
		one(`content: "A={{ secret \"a\" \"password\" | envQuote }}\n", path: DIR/f.env`, ""):                                                               "",
		one(`content: "{{ dotenv (secretMap \"a\") }}\n", path: DIR/f.env`, ""):                                                                             "",
		one(`content: "{{ secret \"a\" }}\n", path: DIR/f.json, format: json`, ""):                                                                          "",
		one(`content: "[a]\nb = {{ param \"/x\" }}\n", path: DIR/f, format: ini`, ""):                                                                       "unquoted",
		one(`content: "a={{ param \"/x\" }}\n", path: DIR/f.properties`, ""):                                                                                "unquoted",
		one(`content: "a={{ param \"/x\" | propertiesQuote }}\n", path: DIR/f.properties`, ""):                                                              "",
		one(`content: "<?php $a = {{ param \"/x\" }};\n", path: DIR/f.php`, ""):                                                                             "unquoted",
		one(`content: "<?php $a = {{ param \"/x\" | phpQuote }};\n", path: DIR/f.php`, ""):                                                                  "",
		one(`content: "a = \"{{ param \"/x\" }}\"\n", path: DIR/f.tfvars`, ""):                                                                              "unquoted",
		one(`content: "a = {{ param \"/x\" | hclQuote }}\n", path: DIR/f.hcl`, ""):                                                                          "",
		one(`content: "A={{ param \"/x\" | dotenvQuote }}\nB={{ param \"/y\" | dockerEnvQuote }}\n{{ dockerEnv (params \"/z\") }}\n", path: DIR/f.env`, ""): "",
		one(`content: "b: \"{{ param \"/x\" | yamlQuote }}\"\n", path: DIR/f, format: yaml`, ""):                                                            "quoted-twice",
		one(`content: "b: '{{ param \"/x\" | yamlQuote }}'\n", path: DIR/f.yaml`, ""):                                                                       "quoted-twice",
		one(`content: "b: \"{{ if true }}{{ param \"/x\" | yamlQuote }}{{ end }}\"\n", path: DIR/f.yaml`, ""):                                               "",
		one(`content: "{{ if true }}b: \"{{- yamlQuote (param \"/x\") -}}  \"\n{{ end }}", path: DIR/f`, ""):                                                "quoted-twice",
		one(`content: "b: {{ param \"/x\" | yamlQuote }}\nc: \"{{ param \"/y\" }}\"\n", path: DIR/f.yml`, ""):                                               "",
		one(`content: "b: '{{ param \"/x\" | toJson }}'\n", path: DIR/f.yml`, ""):                                                                           "",
		one(`content: "b: \"{{ param \"/x\" | toJson }}\"\n", path: DIR/f.yml`, ""):                                                                         "quoted-twice",
		one(`content: "{\"b\": \"{{ toJson (param \"/x\") }}\"}\n", path: DIR/f.json`, ""):                                                                  "quoted-twice",
		one(`content: "{\"b\": \"{{ (secretMap \"a\").port | toJson }}\"}\n", path: DIR/f.json`, ""):                                                        "",
		one(`content: "b = \"{{ param \"/x\" | tomlQuote }}\"\n", path: DIR/f.toml`, ""):                                                                    "quoted-twice",
		one(`content: "b = \"{{ param \"/x\" | hclQuote }}\"\n", path: DIR/f.tf`, ""):                                                                       "quoted-twice",
		one(`content: "<?php $a = \"{{ param \"/x\" | phpQuote }}\";\n", path: DIR/f.php`, ""):                                                              "quoted-twice",
		one(`content: "<?php $a = '{{ param \"/x\" | phpQuote }}';\n", path: DIR/f.php`, ""):                                                                "quoted-twice",
		one(`content: "A=\"{{ param \"/x\" | envQuote }}\"\n", path: DIR/f.env`, ""):                                                                        "quoted-twice",
		one(`content: "A='{{ param \"/x\" | envQuote }}'\n", path: DIR/f, format: dotenv`, ""):                                                              "quoted-twice",
		one(`content: "A='{{ param \"/x\" | toJson }}'\n", path: DIR/f, format: dotenv`, ""):                                                                "",
		one(`content: "A=\"{{ param \"/x\" | dotenvQuote }}\"\n", path: DIR/f.env`, ""):                                                                     "quoted-twice",
		one(`content: "echo \"{{ param \"/x\" | shellQuote }}\"\n", path: DIR/f.sh`, ""):                                                                    "quoted-twice",
		one(`content: "b: \"{{ param \"/x\" | shellQuote }}\"\n", path: DIR/f.yaml`, ""):                                                                    "",
		one(`content: "b = \"{{ param \"/x\" | iniQuote }}\"\n", path: DIR/f.ini`, ""):                                                                      "quoted-twice",
		one(`content: "b = '{{ param \"/x\" | mycnfQuote }}'\n", path: DIR/f.cnf`, ""):                                                                      "quoted-twice",
		one(`content: "set $a \"{{ param \"/x\" | nginxQuote }}\";\n", path: DIR/f.conf`, ""):                                                               "quoted-twice",
		one(`content: "\"u\" \"{{ param \"/x\" | pgbouncerQuote }}\"\n", path: DIR/f.txt`, ""):                                                              "quoted-twice",
		one(`content: "b=\"{{ param \"/x\" | propertiesQuote }}\"\n", path: DIR/f.properties`, ""):                                                          "",
		one(`content: "<b c=\"{{ param \"/x\" | xmlQuote }}\"/>\n", path: DIR/f.xml`, ""):                                                                   "",
		one(`content: "b: {{ param \"/x\" }}\n", path: DIR/f, format: yaml`, ""):                                                                            "",
		one(`content: "A=1", path: DIR/f`, ""):                                                                                                              "no-newline",
		one(`content: "A={{ param \"/x\" | envQuote }}", path: DIR/f`, ""):                                                                                  "no-newline",
		one(`content: "A=1\n{{ if true }}x\n{{ end }}", path: DIR/f`, ""):                                                                                   "",
		one(`content: "", path: DIR/f`, ""):                                                                                                                 "",
		one(`content: "[[ param \"/x\" ]]", path: DIR/f, delims: ["[[", "]]"]`, ""):                                                                         "",
		one(`content: "{{ range params \"/x\" }}{{ . }}\n{{ else }}x\n{{ end }}", path: DIR/f`, ""):                                                         "dead-else",
		one(`content: "{{ range paramsTree \"/x\" }}x\n{{ else }}x\n{{ end }}", path: DIR/f`, ""):                                                           "dead-else",
		one(`content: "{{ range params \"/x\" }}{{ . }}\n{{ end }}", path: DIR/f`, ""):                                                                      "",
		one(`content: "{{ range paramsOr dict \"/x\" }}{{ . }}\n{{ else }}x\n{{ end }}", path: DIR/f`, ""):                                                  "",
		one(`content: "{{ range paramChildren \"/x\" }}x\n{{ else }}x\n{{ end }}", path: DIR/f`, ""):                                                        "",
		one(`content: "{{ if param \"/x\" }}x\n{{ end }}", path: DIR/f`, ""):                                                                                "text-condition",
		one(`content: "{{ if secret \"a\" \"enabled\" }}x\n{{ end }}", path: DIR/f`, ""):                                                                    "text-condition",
		one(`content: "{{ if secret \"a\" \"host\" }}x\n{{ end }}", path: DIR/f`, ""):                                                                       "",
		one(`content: "{% if x %}\n", path: DIR/f`, ""):                                                                                                     "jinja",
		one(`content: "{% now %} %{+Q}o {%H}\n", path: DIR/f`, ""):                                                                                          "",
		one(`content: "{{ secret \"secret/data/x\" \"y\" }}\n", path: DIR/f`, ""):                                                                           "vault-path",
		one(`content: "{{ secret \"prod/data\" \"y\" }}\n", path: DIR/f`, ""):                                                                               "",
		one(plain, "{reload: nginx.service}"):                                                                                                               "unchecked",
		one(plain, "{restart: haproxy.service}"):                                                                                                            "unchecked",
		one(plain, "{start: nginx.service}"):                                                                                                                "",
		one(plain, "{signal: HUP, unit: nginx.service}"):                                                                                                    "unchecked",
		one(plain, "{run: systemctl reload nginx}"):                                                                                                         "unchecked",
		one(plain, "{run: [nginx, -s, reload]}"):                                                                                                            "unchecked",
		one(plain, "{run: service haproxy reload}"):                                                                                                         "unchecked",
		one(plain, "{reload: apache2.service}"):                                                                                                             "",
		one(plain+`, check: "nginx -t -c {}"`, "{reload: nginx.service}"):                                                                                   "",
		one(plain, "{reload: nginx.service}") + "    check: nginx -t\n":                                                                                     "",
		one(plain, "{run: chown -R app /x}"):                                                                                                                "changed-by-hand",
		one(plain, "{run: [sudo, /bin/chmod, '600', /x]}"):                                                                                                  "changed-by-hand",
		one(plain, "{run: 'app reload && mv /x /y'}"):                                                                                                       "changed-by-hand",
		one(plain, "{run: mvn package}"):                                                                                                                    "",
		one(plain, "{run: mysql -uroot -pgeheim -e x}"):                                                                                                     "secret-argument",
		one(plain, "{http: 'http://127.0.0.1/reload?api_key=geheim'}"):                                                                                      "secret-argument",
		one(plain, "{http: 'http://127.0.0.1/reload?a=b&access-token=geheim'}"):                                                                             "secret-argument",
		one(plain, "{http: 'http://127.0.0.1/token?a=b'}"):                                                                                                  "",
		one(plain, "") + "    healthy: {run: mysql -uroot -pgeheim -e x}\n":                                                                                 "secret-argument",
		one(plain, "") + "    healthy: {http: 'http://127.0.0.1/ok?token=geheim'}\n":                                                                        "secret-argument",
		one(plain, "") + "    healthy: {run: mysql -uroot -e x}\n":                                                                                          "",
		one(plain, "{run: mysql -uroot -p -e x}"):                                                                                                           "",
		one(plain, "{run: [app, --password, geheim]}"):                                                                                                      "secret-argument",
		one(plain, "{run: app --api-key=geheim}"):                                                                                                           "secret-argument",
		one(plain, "{run: app --password-file /x --token-path=/y}"):                                                                                         "",
		one(plain, "{run: 'psql postgres://me:geheim@db/x'}"):                                                                                               "secret-argument",
		one(plain, "{run: 'psql postgres://me@db/x'}"):                                                                                                      "",
		one(plain, "{run: \"curl -H 'Authorization: Bearer x' y\"}"):                                                                                        "secret-argument",
		one(plain, "{run: app --x $(cat DIR/f)}"):                                                                                                           "secret-argument",
		one(plain, "{run: app --x $(cat /etc/hostname)}"):                                                                                                   "",
		one(`content: "ExecStart=/bin/x {{ secret \"a\" \"password\" }}\n", path: DIR/x.service`, ""):                                                       "secret-argument",
		one(`content: "Environment=A={{ secret \"a\" \"password\" }}\n", path: DIR/x.service`, ""):                                                          "",
		one(key, "") + "  b:\n    files: [{content: \"{{ secret \\\"a\\\" \\\"cert\\\" }}\", path: DIR/c}]\n":                                               "split-pair",
		one(key, "") + "  b:\n    allow: [split-pair]\n    files: [{content: \"{{ secret \\\"a\\\" \\\"cert\\\" }}\", path: DIR/c}]\n":                      "",
		one(key, "") + "  b:\n    files: [{content: \"{{ secret \\\"b\\\" \\\"cert\\\" }}\", path: DIR/c}]\n":                                               "",
		one(`content: "{{ secret \"a\" }}", path: DIR/x.key`, "") + "  b:\n    files: [{content: \"{{ secret \\\"b\\\" }}\", path: DIR/x.crt}]\n":           "split-pair",
		"  a:\n    files:\n    - {content: \"{{ secret \\\"a\\\" \\\"key\\\" }}\", path: DIR/k}\n    - {content: \"{{ secret \\\"a\\\" \\\"cert\\\" }}\", path: DIR/c}\n  b:\n    files: [{content: \"{{ secret \\\"a\\\" \\\"cert\\\" }}\", path: DIR/d}]\n": "",
	} {
		if got := strings.Join(warned(t, services, nil), " "); got != want {
			t.Errorf("%s\ngives %q, want %q", services, got, want)
		}
	}
}

// A key that a group of several users may read is read by each of them.
func TestKeyOfAGroup(t *testing.T) {
	dir := t.TempDir()
	before := machineUsers
	t.Cleanup(func() { machineUsers = before })
	machineUsers = users{filepath.Join(dir, "passwd"), filepath.Join(dir, "group")}
	if err := os.WriteFile(machineUsers.passwd, []byte("web:x:33:33::/:/\nann:x:1000:100::/:/\nbob:x:1001:100::/:/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(machineUsers.group, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for gid, want := range map[int]string{33: "", 100: "wide-key"} {
		for mode, widened := range map[string]bool{"0640": true, "0600": false} {
			services := one(`content: "{{ secret \"a\" \"key\" }}", path: DIR/f, mode: `+mode, "")
			got := strings.Join(warned(t, services, func(c *config.Config) { c.Services[0].Files[0].GID = gid }), " ")
			if widened && got != want || !widened && got != "" {
				t.Errorf("group %d, mode %s: %q", gid, mode, got)
			}
		}
	}
}

// What is said of thousands of actions on one line takes as much for each as of a few.
func TestManyOnALine(t *testing.T) {
	cost := func(n int) (allocated uint64, said int) {
		dir := t.TempDir()
		path := filepath.Join(dir, "rendered.yaml")
		body := "A=1 " + strings.Repeat(`"{{ secret "a" }}" é '{{ param "/b" | envQuote }}' {{ if param "/c" }}x{{ end }} `, n)
		if err := os.WriteFile(path, []byte("services:\n  a:\n    files: [{path: "+dir+"/f.env, content: '"+strings.ReplaceAll(body, "'", "''")+"'}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := config.Load(path, config.Options{})
		if faults := cfg.All(); len(faults) > 0 {
			t.Fatal(faults)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body, Line: 3, Column: 4}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for _, f := range Warnings(cfg, []Service{{&cfg.Services[0], []*render.Template{tmpl}}}) {
			said += len(f.Text())
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, said
	}
	const few, many = 500, 4000
	allocated, said := cost(few)
	allocatedMore, saidMore := cost(many)
	if most := uint64(2 * many / few); allocatedMore > most*allocated || saidMore > int(most)*said || said < few*1000 {
		t.Errorf("%d times the actions take %d KiB in place of %d, and are said in %d KiB in place of %d", many/few, allocatedMore>>10, allocated>>10, saidMore>>10, said>>10)
	}
}

// A canary that no new value could be tried by is warned of, and no other.
func TestNoCanary(t *testing.T) {
	const of = "fleet: {table: rendered, name: prod}\n"
	service := func(content, rollout string) string {
		return "  a:\n    files: [{content: '" + content + "', path: DIR/f}]\n    rollout: {" + rollout + "}\n"
	}
	const own = `{{ secret (printf "%s/tls" hostname) }}{{ "\n" }}`
	for services, want := range map[string]string{
		service(own, "") + of:              "no-canary",
		service(own, "canary: false") + of: "",
		service(own, "") + "fleet: {fleetlock: \"http://127.0.0.1\", name: prod}\n": "",
		service(`{{ file "DIR/wide" }}{{ "\n" }}`, "") + of:                         "no-canary",
		service(`{{ secret (file "DIR/wide") }}{{ "\n" }}`, "") + of:                "no-canary",
		service(own+`{{ secret "shared" }}{{ "\n" }}`, "") + of:                     "",
		service(`{{ hostname }}{{ "\n" }}`, "") + of:                                "", // it never changes
		service(own, "}\n    allow: [no-canary") + of:                               "",
	} {
		services = strings.ReplaceAll(services, "[no-canary}", "[no-canary]")
		if got := strings.Join(warned(t, services, nil), " "); !strings.Contains(" "+got+" ", " "+want+" ") || want == "" && strings.Contains(got, "no-canary") {
			t.Errorf("%s: %q, want %q", services, got, want)
		}
	}
}
