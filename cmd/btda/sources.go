package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"btda/recorder"
)

// origins tells of settings that somebody set how that was, such as BTDA_PORT or btda.yaml:3: port; empty for a flag.
type origins map[string]string

// readSettings fills in the settings for which no flag was given, from the environment and from the configuration file. For each
// setting the first of flag, environment and file counts. Mistakes are usage errors, all of them in one.
func readSettings(flags *pflag.FlagSet, s *recorder.Settings) (origins, error) {
	environment := variables(os.Environ())
	path, err := flags.GetString("config")
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = environment[configVariable]
	}
	delete(environment, configVariable)
	file, err := readConfiguration(path)
	if err != nil {
		return nil, err
	}
	given := make(origins)
	var mistakes []error
	for _, field := range s.Fields() {
		name, variable := field.Name, variableOf(field.Name)
		from, inFile := file[name]
		value, inEnvironment := environment[variable]
		delete(file, name)
		delete(environment, variable)
		switch {
		case flags.Changed(name):
			given[name] = ""
			continue
		case inEnvironment:
			from = configured{strings.Split(value, ","), variable}
		case !inFile:
			continue
		}
		given[name] = from.origin
		mistakes = append(mistakes, from.set(&settingValue{field}))
	}
	for _, unknown := range slices.Sorted(maps.Keys(environment)) {
		mistakes = append(mistakes, unknownVariable(unknown))
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		mistakes = append(mistakes, usageError{fmt.Errorf("%s: there is no such setting", file[name].origin)})
	}
	return given, errors.Join(mistakes...)
}

// set gives a setting the values.
func (c configured) set(to *settingValue) error {
	values := c.values
	if !to.isList() {
		values = []string{strings.Join(values, ",")}
	}
	for _, value := range values {
		if err := to.Set(value); err != nil {
			return usageError{fmt.Errorf("%s %q: %w", c.origin, value, err)}
		}
	}
	return nil
}

// names lists the settings that somebody set.
func (o origins) names() []string { return slices.Collect(maps.Keys(o)) }

// name says in errors about settings how these were set.
func (o origins) name(err error) error {
	switch e := err.(type) {
	case *recorder.SettingError:
		e.Origin = o[e.Setting]
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			o.name(part)
		}
	}
	return err
}
