package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// A database is a real PostgreSQL with a real pgbouncer before it, which knows whom the rendered
// userlist.txt names. Both listen at sockets in a daemon's directory.
type database struct {
	*live
	rotations int
	current   credential
}

type credential struct{ user, password string }

// databaseConfig has pgbouncer told first, and then the program that logs in: it takes the name of
// the user when it is told.
const databaseConfig = `state_dir: state
schedule: '@every 1s'
splay: 0s
services:
  database:
    files:
      - path: userlist.txt
        content: |
          {{ $user := secret "prod/db/app" "username" -}}
          {{ $before := secretOr "" "prod/db/app:AWSPREVIOUS" "username" -}}
          {{ $user | pgbouncerQuote }} {{ secret "prod/db/app" "password" | pgbouncerQuote }}
          {{ if and $before (ne $before $user) -}}
          {{ $before | pgbouncerQuote }} {{ secret "prod/db/app:AWSPREVIOUS" "password" | pgbouncerQuote }}
          {{ end -}}
      - path: pgpass
        mode: 0600
        content: |
          {{ $user := secret "prod/db/app" "username" -}}
          {{ $before := secretOr "" "prod/db/app:AWSPREVIOUS" "username" -}}
          *:*:*:{{ $user | pgpassQuote }}:{{ secret "prod/db/app" "password" | pgpassQuote }}
          {{ if and $before (ne $before $user) -}}
          *:*:*:{{ $before | pgpassQuote }}:{{ secret "prod/db/app:AWSPREVIOUS" "password" | pgpassQuote }}
          {{ end -}}
      - {path: user, content: '{{ secret "prod/db/app" "username" }}'}
    notify:
      - {run: 'psql -XAt -h DIR -p 6432 -U pgbouncer -c RELOAD pgbouncer'}
      - {run: cp user user.new && mv user.new user.taken}
    healthy:
      - run: 'PGPASSFILE=pgpass psql -wXAt -h DIR -U "$(cat user)" -c "select 1" postgres'
      - run: 'PGPASSFILE=pgpass psql -wXAt -h DIR -p 6432 -U "$(cat user)" -c "select 1" app'
    healthy_for: 100ms
    healthy_within: 3s
`

const pgbouncerConfig = `[databases]
app = host=DIR port=5432 dbname=postgres

[pgbouncer]
unix_socket_dir = DIR
listen_port = 6432
auth_type = scram-sha-256
auth_file = DIR/userlist.txt
pidfile = DIR/pgbouncer.pid
server_login_retry = 1
log_connections = 0
log_disconnections = 0
`

func newDatabase(t *testing.T) *database {
	t.Helper()
	t.Parallel()
	needed(t, "pgbouncer")
	needed(t, "psql")
	bin, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bin) == 0 {
		lacking(t, "there is no initdb")
	}
	initdb := bin[len(bin)-1]
	uid := os.Geteuid()
	if uid == 0 { // which both refuse
		uid = ordinaryUser
	}
	db := &database{live: newLive(t, uid)}
	if out, err := db.command(initdb, "-D", "data", "-U", "admin", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v:\n%s", err, out)
	}
	db.write("data/pg_hba.conf", "local all admin trust\nlocal all all scram-sha-256\n")
	db.write("pgbouncer.ini", pgbouncerConfig)
	db.write("userlist.txt", "")
	db.write("rendered.yaml", databaseConfig)
	db.serve(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", "data", "-k", db.dir, "-c", "listen_addresses=", "-c", "fsync=off")
	until(t.Fatalf, "PostgreSQL answers", func() bool { return db.command("psql", db.admin("select 1")...).Run() == nil })
	db.asAdmin("create role app login; create role app_clone login")
	db.serve("pgbouncer", "pgbouncer.ini")
	until(t.Fatalf, "pgbouncer runs", func() bool { return db.read("pgbouncer.pid") != "" })
	return db
}

func (db *database) admin(statement string) []string {
	return []string{"-XAtq", "-h", db.dir, "-U", "admin", "-c", statement, "postgres"}
}

func (db *database) asAdmin(statement string) {
	db.t.Helper()
	if out, err := db.command("psql", db.admin(statement)...).CombinedOutput(); err != nil {
		db.t.Fatalf("%v:\n%s", err, out)
	}
}

// rotate gives the other of the two users a password, which the database knows where it is told,
// and makes it current, as a rotation function of AWS does.
func (db *database) rotate(told bool) {
	db.t.Helper()
	db.rotations++
	c := credential{"app", fmt.Sprintf(`p4ss "%d" \w$ord:%%`, db.rotations)}
	if db.current.user == "app" {
		c.user = "app_clone"
	}
	if told {
		db.asAdmin(fmt.Sprintf("alter role %s password '%s'", c.user, c.password))
	}
	db.aws.PutSecret("prod/db/app", encoded(entries{"username": c.user, "password": c.password}))
	db.current = c
}

// login logs in through pgbouncer as whom the program has taken, and says who that is.
func (db *database) login() (said string, failed error) {
	cmd := db.command("sh", "-c", `psql -wXAt -p 6432 -U "$(cat user.taken)" -c "select current_user" app 2>&1`)
	cmd.Env = append(cmd.Env, "PGHOST="+db.dir, "PGPASSFILE="+db.path("pgpass"))
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// A loginLoad logs in again and again, and counts.
type loginLoad struct {
	stop           atomic.Bool
	logins, failed atomic.Int64
	loop           sync.WaitGroup
}

func (db *database) logins() *loginLoad {
	l := new(loginLoad)
	l.loop.Go(func() {
		for !l.stop.Load() {
			if said, err := db.login(); err != nil || !strings.HasPrefix(said, "app") {
				l.failed.Add(1)
				db.t.Errorf("a login fails: %v: %s", err, said)
			}
			l.logins.Add(1)
		}
	})
	return l
}

// TestPostgreSQLRotations rotates a secret of two users while a program logs in without a break:
// none of its logins fails. A rotation whose password the database does not have is seen, said and
// kept, and healed by the next.
func TestPostgreSQLRotations(t *testing.T) {
	db := newDatabase(t)
	db.rotate(true)
	d := db.start()
	db.becomes("current", "")

	load := db.logins()
	rotations, began := long.Or(2, 20), time.Now()
	for range rotations {
		before := load.logins.Load()
		db.rotate(true)
		until(t.Fatalf, db.current.user+" is taken", func() bool { return db.read("user.taken") == db.current.user })
		db.becomes("current", "")
		until(t.Fatalf, db.current.user+" has logged in", func() bool { return load.logins.Load() > before+4 })
	}
	load.stop.Store(true)
	load.loop.Wait()
	t.Logf("%d rotations in %v: %d logins, %d failed", rotations, time.Since(began).Round(time.Millisecond), load.logins.Load(), load.failed.Load())
	if said, err := db.login(); err != nil || said != db.current.user {
		t.Errorf("who logs in is %q: %v", said, err)
	}

	db.rotate(false)
	s := db.becomes("unhealthy", "unwell")
	db.says(s.Rollout.Stays, "secret prod/db/app has another version, and what was before may be dead")
	db.says(db.asks("status", "database"), "not well", "exit status", "the new files stay")
	if !strings.Contains(db.read("pgpass"), fmt.Sprintf(`"%d"`, db.rotations)) || db.read("user") != db.current.user {
		t.Error("the new files do not stay")
	}
	db.says(db.read("log"), `FATAL:  password authentication failed for user`)
	if kinds := strings.Join(db.happened(), " "); !strings.Contains(kinds, "unhealthy told told unhealthy") {
		t.Errorf("the history is %s", kinds)
	}

	db.rotate(true)
	db.becomes("current", "")
	if said, err := db.login(); err != nil || said != db.current.user {
		t.Errorf("who logs in is %q: %v", said, err)
	}
	for _, said := range []string{db.read("log"), db.asks("history", "--json"), db.asks("status", "--json")} {
		if strings.Contains(said, "p4ss") {
			t.Errorf("a password is shown in\n%s", said)
		}
	}
	db.end(d)
}
