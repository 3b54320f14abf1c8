// Package elumenta is the domain of the Elumenta server: reusable AI assistants, the prompts composed from them, the
// accounts that use them and what a generation costs. It holds types, rules and the interfaces that the rules need, and
// imports no other package of this module and no driver, SDK or web framework. Packages below it each adapt one thing
// to it: a database, a provider's wire format, HTTP.
package elumenta
