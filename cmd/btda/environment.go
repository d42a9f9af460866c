package main

import (
	"fmt"
	"slices"
	"strings"
)

// variablePrefix begins the names of the environment variables that are for btda.
const variablePrefix = "BTDA_"

// configVariable names a configuration file.
const configVariable = variablePrefix + "CONFIG"

// testVariables tell the tests what to do. A recording that a test begins inherits them, and passes over them.
var testVariables = []string{"BTDA_BENCH_PEERS", "BTDA_LOAD", "BTDA_PROPERTY_ROUNDS", "BTDA_PROPERTY_SEED", "BTDA_REAL_CLIENTS"}

// variableOf gives the environment variable of a setting.
func variableOf(setting string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// variables gives the variables of an environment that are for btda and are not empty, by name.
func variables(environment []string) map[string]string {
	ours := make(map[string]string)
	for _, pair := range environment {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, variablePrefix) && value != "" && !isTestVariable(name) {
			ours[name] = value
		}
	}
	return ours
}

// isTestVariable tells of a variable that is none of a setting: those between a test and its child process have TEST in their names.
func isTestVariable(name string) bool {
	return strings.Contains(name, "TEST") || slices.Contains(testVariables, name)
}

func unknownVariable(name string) error {
	return usageError{fmt.Errorf("the environment variable %s is none of btda: its variables are %s and the name of a flag, such as %s", name, variablePrefix, variableOf("port"))}
}
