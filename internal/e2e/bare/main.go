// The command bare is what the program is measured by: it asks AWS for the same things, as many at
// once, and writes the same files, each with its fsync, and one fsync of their directory. It has no
// config, no templates, no checks and no ledger.
//
//	bare JOB.json
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// atOnce is how many calls, and how many writes, are under way at the same time.
const atOnce = 8

// A job says what to do.
type job struct {
	Call  string     // GetParameters, GetSecretValue or BatchGetSecretValue
	Calls [][]string // what each asks for, by name
	Files []file
}

// A file has a line for each value, in this order. One that holds that already is not written.
type file struct {
	Path  string
	Names []string
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return err
	}
	values, err := j.fetch(caller(j.Call, ssm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)))
	if err != nil {
		return err
	}
	return j.write(values)
}

// A call gives values by name.
type call func(names []string, value func(name, value string)) error

func caller(name string, parameters *ssm.Client, secrets *secretsmanager.Client) call {
	ctx := context.Background()
	switch name {
	case "GetParameters":
		return func(names []string, value func(name, value string)) error {
			yes := true
			out, err := parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: &yes})
			if err != nil {
				return err
			}
			for _, p := range out.Parameters {
				value(*p.Name, *p.Value)
			}
			return nil
		}
	case "GetSecretValue":
		return func(names []string, value func(name, value string)) error {
			out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &names[0]})
			if err == nil {
				value(*out.Name, *out.SecretString)
			}
			return err
		}
	}
	return func(names []string, value func(name, value string)) error {
		out, err := secrets.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: names})
		if err != nil {
			return err
		}
		for _, s := range out.SecretValues {
			value(*s.Name, *s.SecretString)
		}
		return nil
	}
}

func (j job) fetch(ask call) (map[string]string, error) {
	values := make(map[string]string)
	var mu sync.Mutex
	err := each(len(j.Calls), func(i int) error {
		return ask(j.Calls[i], func(name, value string) {
			mu.Lock()
			defer mu.Unlock()
			values[name] = value
		})
	})
	return values, err
}

func (j job) write(values map[string]string) error {
	wrote := make([]bool, len(j.Files))
	err := each(len(j.Files), func(i int) (err error) {
		var text bytes.Buffer
		for n, name := range j.Files[i].Names {
			fmt.Fprintf(&text, "key%d = %s\n", n, values[name])
		}
		wrote[i], err = swap(j.Files[i].Path, text.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	for _, yes := range wrote {
		if yes {
			return syncDir(filepath.Dir(j.Files[0].Path))
		}
	}
	return nil
}

func swap(path string, content []byte) (wrote bool, _ error) {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	return true, os.Rename(path+".new", path)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// each does something n times, and some of that at the same time.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(i)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
