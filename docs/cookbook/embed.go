// Package cookbook has the recipes of this directory in the program, which rendered init writes.
package cookbook

import "embed"

// Recipes has a directory for each recipe, with README.md, rendered.yaml, values.yaml, templates,
// and what else belongs to it.
//
//go:embed */*
var Recipes embed.FS
