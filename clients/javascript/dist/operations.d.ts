import type { components, operations } from "./types.js";
import { Transport, type CallOptions } from "./transport.js";
type Schemas = components["schemas"];
type Query<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
/** A method for each call. */
export declare class Operations extends Transport {
    /** List accounts, newest first. For accounts with the role admin; others get 403. */
    adminListAccounts(query?: Query<"admin-list-accounts">, options?: CallOptions): Promise<Schemas["PageAdminAccount"]>;
    /** The items of all pages of adminListAccounts, each page asked for when it is needed. */
    adminListAccountsAll(query?: Query<"admin-list-accounts">, options?: CallOptions): AsyncGenerator<Schemas["AdminAccount"], void, undefined>;
    /** Create an account. For accounts with the role admin; others get 403. */
    adminCreateAccount(body: Schemas["NewAccount"], options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** Read an account. For accounts with the role admin; others get 403. */
    adminGetAccount(id: string, options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** Change an account's name or role. The last admin who is not suspended stays one, and the built-in author of the starter assistants cannot be one (409). For accounts with the role admin; others get 403. */
    adminUpdateAccount(id: string, body: Schemas["UpdateAccount"], options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** List an account's keys, newest first. For accounts with the role admin; others get 403. */
    adminListKeys(id: string, query?: Query<"admin-list-keys">, options?: CallOptions): Promise<Schemas["PageAdminKey"]>;
    /** The items of all pages of adminListKeys, each page asked for when it is needed. */
    adminListKeysAll(id: string, query?: Query<"admin-list-keys">, options?: CallOptions): AsyncGenerator<Schemas["AdminKey"], void, undefined>;
    /** Read an account's journal, newest first. Every movement of its tokens, with the balance after it. For accounts with the role admin; others get 403. */
    adminListLedger(id: string, query?: Query<"admin-list-ledger">, options?: CallOptions): Promise<Schemas["PageLedger"]>;
    /** The items of all pages of adminListLedger, each page asked for when it is needed. */
    adminListLedgerAll(id: string, query?: Query<"admin-list-ledger">, options?: CallOptions): AsyncGenerator<Schemas["Ledger"], void, undefined>;
    /** Put an account on a plan. The plan begins now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An account that is on the plan keeps its month and its tokens, and only the plan's end changes. For accounts with the role admin; others get 403. */
    adminSetPlan(id: string, body: Schemas["SetPlan"], options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** End a suspension. For accounts with the role admin; others get 403. */
    adminResume(id: string, body: Schemas["Reason"] | undefined, options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** Suspend an account, at once. Its keys do not work, and its assistants are not listed and of no use to others, pinned or not. The last admin cannot be suspended (409). For accounts with the role admin; others get 403. */
    adminSuspend(id: string, body: Schemas["Reason"] | undefined, options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** Add tokens that do not expire. With an Idempotency-Key, a repetition adds nothing and answers with the account as it is. For accounts with the role admin; others get 403. */
    adminTopup(id: string, body: Schemas["Topup"], options?: CallOptions): Promise<Schemas["AdminAccount"]>;
    /** Read anyone's assistant, to judge it. With its instructions, if it is or was public, is reported or taken down. Each time is in the audit trail. For accounts with the role admin; others get 403. */
    adminGetAssistant(id: string, query?: Query<"admin-get-assistant">, options?: CallOptions): Promise<Schemas["Review"]>;
    /** Let a taken-down assistant be published again. It stays private until its author publishes it; a starter assistant is published at once. For accounts with the role admin; others get 403. */
    adminAllowAssistant(id: string, body: Schemas["Reason"] | undefined, options?: CallOptions): Promise<void>;
    /** Read an assistant's reports, newest first. For accounts with the role admin; others get 403. */
    adminListAssistantReports(id: string, query?: Query<"admin-list-assistant-reports">, options?: CallOptions): Promise<Schemas["PageAdminReport"]>;
    /** The items of all pages of adminListAssistantReports, each page asked for when it is needed. */
    adminListAssistantReportsAll(id: string, query?: Query<"admin-list-assistant-reports">, options?: CallOptions): AsyncGenerator<Schemas["AdminReport"], void, undefined>;
    /** Dismiss an assistant's open reports. The assistant stays as it is. For accounts with the role admin; others get 403. */
    adminDismissReports(id: string, body: Schemas["Reason"] | undefined, options?: CallOptions): Promise<void>;
    /** Take anyone's assistant down. It leaves the marketplace, and pins of all its versions stop at once. Its open reports are upheld. Its author finds a new, private version, reads the reason, and cannot publish it until an operator allows that. For accounts with the role admin; others get 403. */
    adminUnpublishAssistant(id: string, body: Schemas["Unpublish"], options?: CallOptions): Promise<void>;
    /** Read the audit trail, newest first. Who did what to what, when and from where. hash covers an entry and all before it. For accounts with the role admin; others get 403. */
    adminListAudit(query?: Query<"admin-list-audit">, options?: CallOptions): Promise<Schemas["PageAudit"]>;
    /** The items of all pages of adminListAudit, each page asked for when it is needed. */
    adminListAuditAll(query?: Query<"admin-list-audit">, options?: CallOptions): AsyncGenerator<Schemas["Audit"], void, undefined>;
    /** Find keys by how they begin. The first 8 characters of a key that leaked say whose it is. For accounts with the role admin; others get 403. */
    adminFindKeys(query: Query<"admin-find-keys">, options?: CallOptions): Promise<Schemas["PageAdminKey"]>;
    /** The items of all pages of adminFindKeys, each page asked for when it is needed. */
    adminFindKeysAll(query: Query<"admin-find-keys">, options?: CallOptions): AsyncGenerator<Schemas["AdminKey"], void, undefined>;
    /** Revoke anyone's key, at once. For accounts with the role admin; others get 403. */
    adminRevokeKey(id: string, options?: CallOptions): Promise<void>;
    /** See providers, their models and their health. Which are configured, what switches the others on, and how calls of this node went since it started. For accounts with the role admin; others get 403. */
    adminListProviders(options?: CallOptions): Promise<Schemas["Providers"]>;
    /** List reported assistants. Those with open reports, the one that has waited longest first; or with reports that were decided on, the last decision first. For accounts with the role admin; others get 403. */
    adminListReports(query?: Query<"admin-list-reports">, options?: CallOptions): Promise<Schemas["PageReportedAssistant"]>;
    /** The items of all pages of adminListReports, each page asked for when it is needed. */
    adminListReportsAll(query?: Query<"admin-list-reports">, options?: CallOptions): AsyncGenerator<Schemas["ReportedAssistant"], void, undefined>;
    /** Add up everyone's generations. In whole days, UTC: those that the range touches. What was settled is in it within two seconds. For accounts with the role admin; others get 403. */
    adminGetUsage(query?: Query<"admin-get-usage">, options?: CallOptions): Promise<Schemas["Usage"]>;
    /** List your assistants, newest first. */
    listAssistants(query?: Query<"list-assistants">, options?: CallOptions): Promise<Schemas["PageAssistant"]>;
    /** The items of all pages of listAssistants, each page asked for when it is needed. */
    listAssistantsAll(query?: Query<"list-assistants">, options?: CallOptions): AsyncGenerator<Schemas["Assistant"], void, undefined>;
    /** Create an assistant. */
    createAssistant(body: Schemas["CreateAssistant"], options?: CallOptions): Promise<Schemas["Assistant"]>;
    /** Create an assistant with its saved versions. The versions, the oldest first, keep their numbers, notes and dates; the last one is the newest. The assistant has an id of its own. A version that is public is checked as one that is published. */
    importAssistant(body: Schemas["ImportAssistant"], options?: CallOptions): Promise<Schemas["Assistant"]>;
    /** List or search published assistants. Without q, in the order that sort names: popular goes by how many different accounts used an assistant in the last 30 days, as counted every ten minutes, and what is not counted yet stands behind, newest first. A cursor of popular, or of a search, is good for an hour; then 400 bad_request says to start again. */
    listMarketplace(query?: Query<"list-marketplace">, options?: CallOptions): Promise<Schemas["PageListing"]>;
    /** The items of all pages of listMarketplace, each page asked for when it is needed. */
    listMarketplaceAll(query?: Query<"list-marketplace">, options?: CallOptions): AsyncGenerator<Schemas["Listing"], void, undefined>;
    /** List the categories with how many assistants each has. */
    listCategories(options?: CallOptions): Promise<Schemas["ItemsCategory"]>;
    /** Delete an assistant. */
    deleteAssistant(id: string, options?: CallOptions): Promise<void>;
    /** Read an assistant. Your own with all its fields, or the public view of a published one of another account. */
    getAssistant(id: string, options?: CallOptions): Promise<Schemas["AssistantOrListing"]>;
    /** Update an assistant. Fields that are present are replaced, fields that are absent stay, null clears an optional one. What changes something makes a version. */
    updateAssistant(id: string, body: Schemas["UpdateAssistant"], options?: CallOptions): Promise<Schemas["Assistant"]>;
    /** Copy an assistant to make one of your own from it. A published assistant that is copyable, or any of your own. The copy is private, with the fields of the newest version or of the one that you name; its metadata names that version as copied_from, and nothing else. Of an assistant that is not copyable the author keeps the instructions to themselves (403). */
    copyAssistant(id: string, body: Schemas["CopyAssistant"] | undefined, options?: CallOptions): Promise<Schemas["Assistant"]>;
    /** List an assistant's labels by name. */
    listLabels(id: string, options?: CallOptions): Promise<Schemas["ItemsLabel"]>;
    /** Delete a label: calls of it stop at once. */
    deleteLabel(id: string, label: string, options?: CallOptions): Promise<void>;
    /** Make or move a label. asst_…@LABEL then calls that version, on every node, from the next request on. A split divides calls by weight: by a hash of user, so that one person stays on one version, and by chance without. */
    setLabel(id: string, label: string, body: Schemas["NewLabel"], options?: CallOptions): Promise<Schemas["Label"]>;
    /** Report an assistant to the operators. One that is published, or has versions that others may pin. An account has one open report for each assistant: another one replaces it (200), and takes its place. Once operators have decided on it it stays (409) until the assistant has a newer public version. The author does not learn who reported. An account may have 100 open reports (422). */
    reportAssistant(id: string, body: Schemas["NewReport"], options?: CallOptions): Promise<Schemas["Report"]>;
    /** See how much others use an assistant of yours. */
    getUses(id: string, options?: CallOptions): Promise<Schemas["Uses"]>;
    /** List an assistant's versions, newest first. */
    listVersions(id: string, query?: Query<"list-versions">, options?: CallOptions): Promise<Schemas["PageVersion"]>;
    /** The items of all pages of listVersions, each page asked for when it is needed. */
    listVersionsAll(id: string, query?: Query<"list-versions">, options?: CallOptions): AsyncGenerator<Schemas["Version"], void, undefined>;
    /** Withdraw a version that is not the newest. It is gone from the list, and pins of it stop at once. The newest cannot be withdrawn (422). */
    withdrawVersion(id: string, n: number, options?: CallOptions): Promise<void>;
    /** Read a saved version. */
    getVersion(id: string, n: number, options?: CallOptions): Promise<Schemas["Version"]>;
    /** Make a version the newest again, as a new version. Visibility stays as it is: a version that could not be published cannot be restored while the assistant is (422). */
    restoreVersion(id: string, n: number, options?: CallOptions): Promise<Schemas["Assistant"]>;
    /** Read your balance. */
    getBalance(options?: CallOptions): Promise<Schemas["Balance"]>;
    /** Read your statement, newest first. Every movement of your tokens, with the balance after it. An entry adds to the balance if its destination is available, and takes from it if its source is. On an unlimited plan generations move none. */
    getStatement(query?: Query<"get-statement">, options?: CallOptions): Promise<Schemas["PageStatement"]>;
    /** The items of all pages of getStatement, each page asked for when it is needed. */
    getStatementAll(query?: Query<"get-statement">, options?: CallOptions): AsyncGenerator<Schemas["Statement"], void, undefined>;
    /** Generate an answer. Nothing of the conversation is kept. The top level beats params; an unknown field of either is left out and named in warnings. With stream true the answer is a stream of server-sent events; what fails before it opens is an ordinary error, what fails after it is an event of the type error. */
    generate(body: Schemas["GenerateRequest"], options?: CallOptions): Promise<Schemas["Generation"]>;
    /** List your keys, newest first. */
    listKeys(query?: Query<"list-keys">, options?: CallOptions): Promise<Schemas["PageKey"]>;
    /** The items of all pages of listKeys, each page asked for when it is needed. */
    listKeysAll(query?: Query<"list-keys">, options?: CallOptions): AsyncGenerator<Schemas["Key"], void, undefined>;
    /** Create an API key. The only time that the key is shown. A limit that is absent or null is none. A limited key makes and changes no keys. */
    createKey(body: Schemas["CreateKey"], options?: CallOptions): Promise<Schemas["CreatedKey"]>;
    /** Read the key of this request. What it is limited to, and what it has spent of its budget. Every key may read itself. */
    getOwnKey(options?: CallOptions): Promise<Schemas["Key"]>;
    /** Revoke a key, at once. */
    revokeKey(id: string, options?: CallOptions): Promise<void>;
    /** Change a key's name or limits. Fields that are present are replaced, fields that are absent stay, null lifts a limit. It counts for the next request. */
    updateKey(id: string, body: Schemas["UpdateKey"], options?: CallOptions): Promise<Schemas["Key"]>;
    /** List the catalog's models. */
    listModels(query?: Query<"list-models">, options?: CallOptions): Promise<Schemas["ItemsModel"]>;
    /** Read a model. */
    getModel(slug: string, options?: CallOptions): Promise<Schemas["Model"]>;
    /** Add up your generations. What was settled before the call is in it. Whole days cost the same however many generations there were. */
    getUsage(query?: Query<"get-usage">, options?: CallOptions): Promise<Schemas["Usage"]>;
    /** Read your account. */
    getUser(options?: CallOptions): Promise<Schemas["User"]>;
    /** Change your display name. */
    updateUser(body: Schemas["DisplayName"], options?: CallOptions): Promise<Schemas["User"]>;
}
export {};
