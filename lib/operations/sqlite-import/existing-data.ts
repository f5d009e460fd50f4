/** What happens to data that the database has already: two databases cannot be mixed, since their numbers and names collide. */
export enum ExistingData {
  /** The import fails, and changes nothing. Choose it unless you know what is there. */
  REFUSE = 'refuse',

  /**
   * What is in the tables of the tracking server is deleted, in the same transaction. Choose it to repeat an import, and take
   * the import out of the app afterwards: it would delete what was logged since whenever its Job changes.
   */
  REPLACE = 'replace',
}
