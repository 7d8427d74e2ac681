package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/internal/pages"
	"github.com/rendered/rendered/internal/testpki"
)

// cookbook is where the recipes are, a directory each.
const cookbook = root + "/docs/cookbook"

// A kitchen is a machine on which one recipe of the cookbook is tried as it stands, with values in
// the place of AWS.
type kitchen struct {
	*machine
	recipe, values string
}

func newKitchen(t *testing.T, recipe string, programs ...string) *kitchen {
	t.Helper()
	long.Test(t)
	t.Parallel()
	for _, program := range programs {
		needed(t, program)
	}
	dir, err := filepath.Abs(filepath.Join(cookbook, recipe))
	if err != nil {
		t.Fatal(err)
	}
	return &kitchen{machine: newMachine(t), recipe: dir, values: filepath.Join(dir, "values.yaml")}
}

// once runs a pass. What would be told is only owed: there is no systemd.
func (k *kitchen) once() (string, error) {
	k.t.Helper()
	return k.try(program(k.t), "once", "--no-notify", "-c", filepath.Join(k.recipe, "rendered.yaml"), "--values", k.values)
}

// renders runs a pass that must succeed.
func (k *kitchen) renders() {
	k.t.Helper()
	if said, err := k.once(); err != nil {
		k.t.Fatalf("%v:\n%s", err, said)
	}
}

// entries are names with their values.
type entries map[string]any

// rotate puts other values in the place of the recipe's. JSON is YAML.
func (k *kitchen) rotate(secrets, params entries) {
	k.t.Helper()
	text, err := json.Marshal(map[string]entries{"secrets": secrets, "params": params})
	if err != nil {
		k.t.Fatal(err)
	}
	k.values = filepath.Join(k.t.TempDir(), "values.yaml")
	write(k.t, k.values, string(text))
}

// copies puts a file of the recipe to its place.
func (k *kitchen) copies(name, to string) {
	k.t.Helper()
	k.run("cp", filepath.Join(k.recipe, name), to)
}

// tlsSecret gives a secret for www.example.com with its serial number, as openssl prints it.
func tlsSecret() (secret entries, serial string) {
	begins := time.Now().Add(-time.Hour)
	ca := testpki.New(testpki.CA("ca", begins, begins.AddDate(1, 0, 0)), nil, nil)
	pair := testpki.New(testpki.Leaf(begins, begins.AddDate(0, 3, 0), "www.example.com"), nil, ca)
	secret = entries{"cert": pair.CertPEM() + ca.CertPEM(), "key": pair.KeyPEM()}
	serial = fmt.Sprintf("%X", pair.Certificate.SerialNumber)
	return secret, "serial=" + strings.Repeat("0", len(serial)%2) + serial
}

// served gives the serial number of the certificate that is served on port 443.
func (k *kitchen) served() string {
	said, _ := k.try("sh", "-c", `openssl s_client -connect 127.0.0.1:443 -servername www.example.com </dev/null 2>/dev/null | openssl x509 -noout -serial`)
	return strings.TrimSpace(said)
}

// rotates serves one certificate after another, and none that is not the key's.
func (k *kitchen) rotates(reload ...string) {
	k.t.Helper()
	secret, serial := tlsSecret()
	k.rotate(entries{"prod/web/tls": secret}, entries{})
	k.renders()
	k.run(reload...)
	until(k.t.Fatalf, "the new certificate is served", func() bool { return k.served() == serial })

	other, _ := tlsSecret()
	k.rotate(entries{"prod/web/tls": entries{"cert": other["cert"], "key": secret["key"]}}, entries{})
	if said, err := k.once(); err == nil || !strings.Contains(said, "key") {
		k.t.Errorf("with the key of another certificate: %v:\n%s", err, said)
	}
	k.run(reload...)
	if got := k.served(); got != serial {
		k.t.Errorf("%s is served, want %s", got, serial)
	}
}

func TestCookbookNginxTLS(t *testing.T) {
	k := newKitchen(t, "nginx-tls", "nginx", "openssl")
	k.renders() // and nginx -t with it
	k.run("nginx")
	serial := strings.TrimSpace(k.run("openssl", "x509", "-noout", "-serial", "-in", "/etc/nginx/tls/site.crt"))
	until(t.Fatalf, "the first certificate is served", func() bool { return k.served() == serial })
	k.rotates("nginx", "-s", "reload")
}

// Two sites are served, then one of them goes and another comes; none changes where a key is not
// that of its certificate.
func TestCookbookNginxSites(t *testing.T) {
	k := newKitchen(t, "nginx-sites", "nginx", "openssl")
	k.renders() // and nginx -t with it
	k.run("nginx")
	served := func(host, serial string) func() bool {
		return func() bool {
			said, _ := k.try("sh", "-c", "openssl s_client -connect 127.0.0.1:443 -servername "+host+" </dev/null 2>/dev/null | openssl x509 -noout -serial")
			return strings.TrimSpace(said) == serial
		}
	}
	first := func(host string) string {
		return strings.TrimSpace(k.run("openssl", "x509", "-noout", "-serial", "-in", "/etc/nginx/sites/"+host+".crt"))
	}
	for _, host := range []string{"www.example.com", "shop.example.com"} {
		until(t.Fatalf, host+" is served with its certificate", served(host, first(host)))
	}

	www, wwwSerial := tlsSecret()
	blog, blogSerial := tlsSecret()
	sites := func(of entries) { k.rotate(entries{"prod/web/sites": of}, entries{}) }
	sites(entries{"www.example.com": www, "blog.example.com": blog})
	k.renders()
	k.run("nginx", "-s", "reload")
	until(t.Fatalf, "the new site is served", served("blog.example.com", blogSerial))
	until(t.Fatalf, "the site that stays has its new certificate", served("www.example.com", wwwSerial))
	if left := k.run("sh", "-c", "ls /etc/nginx/sites /etc/nginx/conf.d"); strings.Contains(left, "shop") {
		t.Errorf("left are %s", left)
	}

	sites(entries{"www.example.com": blog, "blog.example.com": entries{"cert": www["cert"], "key": blog["key"]}})
	if said, err := k.once(); err == nil || !strings.Contains(said, "sites/blog.example.com.key: verify.tls.key") {
		t.Errorf("with the key of another site: %v:\n%s", err, said)
	}
	if got := first("www.example.com"); got != wwwSerial {
		t.Errorf("%s is there, want %s", got, wwwSerial)
	}
}

func TestCookbookNginxUpstream(t *testing.T) {
	k := newKitchen(t, "nginx-upstream", "nginx", "curl")
	for _, port := range []string{"8081", "8082", "8083"} {
		conf := filepath.Join(t.TempDir(), port)
		write(t, conf, "pid /run/"+port+".pid; events {} http { access_log off; server { listen 127.0.0.1:"+port+"; location / { return 200 \"from "+port+" for $remote_addr, $http_host\\n\"; } } }\n")
		k.run("nginx", "-c", conf)
	}
	k.renders()
	k.run("nginx")
	seen := func(port string) func() bool {
		return func() bool {
			said, _ := k.try("curl", "-s", "-H", "Host: shop.example.com", "http://127.0.0.1/")
			return said == "from "+port+" for 127.0.0.1, shop.example.com\n"
		}
	}
	until(t.Fatalf, "the first backend answers", seen("8081"))
	until(t.Fatalf, "the second backend answers", seen("8082"))

	proxies := []string{"10.0.0.0/8"}
	k.rotate(entries{}, entries{"/prod/shop/backends/i-0c3": "127.0.0.1:8083", "/prod/shop/proxies": proxies})
	k.renders()
	k.run("nginx", "-s", "reload")
	until(t.Fatalf, "the new backend answers", seen("8083"))

	// What is no address is refused by nginx -t, and a value cannot say more than one word.
	for _, address := range []string{"127.0.0.1:8081; server 127.0.0.1:1", "127.0.0.1:99999"} {
		k.rotate(entries{}, entries{"/prod/shop/backends/i-0c3": address, "/prod/shop/proxies": proxies})
		if said, err := k.once(); err == nil || !strings.Contains(said, "invalid port") && !strings.Contains(said, "host not found") {
			t.Errorf("%q: %v:\n%s", address, err, said)
		}
	}
	k.rotate(entries{}, entries{"/prod/shop/proxies": proxies})
	if said, err := k.once(); err == nil || !strings.Contains(said, "/prod/shop/backends") {
		t.Errorf("without a backend: %v:\n%s", err, said)
	}
	if text := k.run("cat", "/etc/nginx/conf.d/shop.conf"); !strings.Contains(text, `server "127.0.0.1:8083"; # i-0c3`) {
		t.Errorf("the site is %s", text)
	}
}

func TestCookbookHAProxy(t *testing.T) {
	k := newKitchen(t, "haproxy", "haproxy", "openssl")
	k.copies("haproxy.cfg", "/etc/haproxy/haproxy.cfg")
	k.renders() // and haproxy -c with it
	k.run("haproxy", "-W", "-D", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid")
	serial := strings.TrimSpace(k.run("openssl", "x509", "-noout", "-serial", "-in", "/etc/haproxy/tls/site.pem"))
	until(t.Fatalf, "the first certificate is served", func() bool { return k.served() == serial })
	k.rotates("sh", "-c", "kill -USR2 $(cat /run/haproxy.pid)")
}

// systemd and sh read the same values.
func TestCookbookEnvFile(t *testing.T) {
	k := newKitchen(t, "env-file", "systemd-analyze")
	k.renders()
	want := map[string]string{
		"DB_USER":     "app",
		"DB_PASSWORD": `pä"ss\w$rd' %#`,
		"LOG_LEVEL":   "info",
		"MOTD":        "two lines,\nand `backquotes`",
	}
	// ConditionOSRelease= compares with what systemd's reader of EnvironmentFile= finds in another
	// file.
	k.run("cp", "--remove-destination", "/etc/app/app.env", "/etc/os-release")
	for name, value := range want {
		if got := k.run("sh", "-c", `. /etc/app/app.env; printf %s "$`+name+`"`); got != value {
			t.Errorf("sh reads %s as %q, want %q", name, got, value)
		}
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(value)
		if said, err := k.try("systemd-analyze", "condition", `ConditionOSRelease="`+name+`=`+escaped+`"`); err != nil {
			t.Errorf("systemd reads %s otherwise: %v:\n%s", name, err, said)
		}
		if said, err := k.try("systemd-analyze", "condition", `ConditionOSRelease="`+name+`=`+escaped+`x"`); err == nil {
			t.Errorf("this does not look at %s:\n%s", name, said)
		}
	}
	k.copies("app.service", "/etc/systemd/system/app.service")
	k.run("install", "/bin/true", "/usr/local/bin/app")
	k.run("systemd-analyze", "verify", "/etc/systemd/system/app.service")
}

func TestCookbookPostgreSQL(t *testing.T) {
	k := newKitchen(t, "postgresql", "pgbouncer", "psql")
	postgres := func(args ...string) []string { return as("postgres", "/var/lib/postgresql", args...) }
	k.copies("pgbouncer.ini", "/etc/pgbouncer/pgbouncer.ini")
	k.run("rm", "-f", "/etc/pgbouncer/userlist.txt")
	k.renders()
	k.run(postgres("pgbouncer", "-d", "/etc/pgbouncer/pgbouncer.ini")...)

	// login has psql ask pgbouncer's own console whom it knows, and say who asked.
	login := func(password, conninfo string) (string, error) {
		return k.try(postgres("PGPASSWORD="+password, "psql", "-w", "-XtA", "-c", `\conninfo`, "-c", "SHOW USERS", "dbname=pgbouncer "+conninfo)...)
	}
	enters := func(user, password, conninfo string) {
		t.Helper()
		last := ""
		until(func(format string, a ...any) { t.Fatalf(format+": %s", append(a, last)...) }, user+" is let in by "+conninfo, func() bool {
			said, err := login(password, conninfo)
			last = said
			return err == nil && strings.Contains(said, `as user "`+user+`"`) && strings.Contains(said, user+"|")
		})
	}
	const first, before = `pä"ss\w$rd' %#:`, `the one "before", of \ and :`
	enters("app_clone", "", "service=app") // by .pgpass and .pg_service.conf
	enters("app", before, "host=localhost port=6432 user=app")
	if said, err := login(before+" ", "host=localhost port=6432 user=app"); err == nil || !strings.Contains(said, "SASL authentication failed") {
		t.Errorf("with a wrong password: %v: %s", err, said)
	}

	const second = ` "" \\ 'ß☃' `
	k.rotate(entries{
		"prod/db/app":             entries{"username": "app", "password": second},
		"prod/db/app:AWSPREVIOUS": entries{"username": "app_clone", "password": first},
	}, entries{})
	k.renders()
	k.run("sh", "-c", "kill -HUP $(cat /run/postgresql/pgbouncer.pid)")
	enters("app", "", "service=app")
	enters("app_clone", first, "host=localhost port=6432 user=app_clone")

	// One user whose password changes stands there once.
	k.rotate(entries{
		"prod/db/app":             entries{"username": "app", "password": "third"},
		"prod/db/app:AWSPREVIOUS": entries{"username": "app", "password": second},
	}, entries{})
	k.renders()
	if got, want := k.run("cat", "/etc/pgbouncer/userlist.txt"), "\"app\" \"third\"\n"; got != want {
		t.Errorf("userlist.txt is %q, want %q", got, want)
	}
	if got := k.run("stat", "-c", "%a %U %n", "/etc/pgbouncer/userlist.txt", "/var/lib/postgresql/.pgpass"); got != "640 postgres /etc/pgbouncer/userlist.txt\n600 postgres /var/lib/postgresql/.pgpass\n" {
		t.Errorf("the files are\n%s", got)
	}
}

// worker is a program that reads its configuration again on SIGHUP.
const worker = `trap 'jq -r "[.log_level, .queues[1], .database.port, .database.password] | @tsv" /etc/worker/config.json >/run/read' HUP
echo $$ >/run/worker.pid
while :; do sleep infinity & wait; done
`

func TestCookbookJSONSignal(t *testing.T) {
	k := newKitchen(t, "json-signal", "jq")
	k.run("sh", "-c", `sh -c "$0" </dev/null >/dev/null 2>&1 &`, worker)
	until(t.Fatalf, "the program runs", func() bool { said, err := k.try("cat", "/run/worker.pid"); return err == nil && said != "" })

	told := func(want string) {
		t.Helper()
		said := k.run(program(k.t), "once", "-c", filepath.Join(k.recipe, "rendered.yaml"), "--values", k.values)
		if !strings.Contains(said, "told      HUP /run/worker.pid") {
			t.Errorf("said:\n%s", said)
		}
		until(t.Fatalf, "the program has read it", func() bool { said, err := k.try("cat", "/run/read"); return err == nil && said == want })
	}
	told("info\trefunds\t5432\tpä\"ss\\\\w$rd' %#\n") // @tsv doubles the backslash
	k.rotate(entries{"prod/worker/db": entries{"host": "h", "port": 6543, "password": "<&> \u2028"}},
		entries{"/prod/worker/log_level": "debug", "/prod/worker/queues": []string{"a", "b"}})
	told("debug\tb\t6543\t<&> \u2028\n")

	k.rotate(entries{"prod/worker/db": entries{"host": "h", "port": "none", "password": "p"}},
		entries{"/prod/worker/queues": []string{"a"}})
	if said, err := k.once(); err == nil || !strings.Contains(said, `in the value of secret prod/worker/db "port"`) {
		t.Errorf("with a port that is no number: %v:\n%s", err, said)
	}
}

// took is how long something took, as rendered once says it.
var took = regexp.MustCompile(`\([0-9.]+m?s\)`)

// The drill says what its page shows.
func TestCookbookRotationDrill(t *testing.T) {
	k := newKitchen(t, "rotation-drill")
	sh := newShell(t, k.recipe)
	for _, b := range pages.Claimed(t) {
		said, _ := k.try("sh", "-c", "cd "+sh.dir+" && set +e\n"+typed(b))
		said = strings.ReplaceAll(said, sh.dir+"/", "")
		if got, want := took.ReplaceAllString(said, "(…)"), took.ReplaceAllString(b.Text, "(…)"); got != want {
			t.Errorf("%v: now it is\n%s", b, said)
		}
	}
}

// The machine that the recipes were tried on is gone with its files.
func TestMachineLeavesNothing(t *testing.T) {
	path := ""
	t.Run("", func(t *testing.T) {
		m := newMachine(t)
		path = filepath.Join("/etc", "rendered-"+m.pid)
		m.run("touch", path, "/run/rendered-"+m.pid)
	})
	if path == "" {
		t.Skip("there was no machine")
	}
	for _, left := range []string{path, "/run/" + filepath.Base(path)} {
		if _, err := os.Lstat(left); !os.IsNotExist(err) {
			t.Errorf("%s: %v", left, err)
		}
	}
}
