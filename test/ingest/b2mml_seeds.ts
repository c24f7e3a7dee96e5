/** Work alerts as the schemas of B2MML 7 (`B2MML-WorkAlert.xsd`) have them, in JSON and in XML. */

export const PROCESS_JSON = {
  ProcessWorkAlert: {
    releaseID: '7.0.1',
    ApplicationArea: { CreationDateTime: '2026-11-25T11:58:01Z', Sender: { LogicalID: 'MES' } },
    DataArea: {
      Process: { ActionCriteria: [{ ActionExpression: { actionCode: 'Add', value: '/WorkAlert' } }] },
      WorkAlert: [
        {
          ID: { value: 'WA-4711', schemeID: 'alerts' },
          Description: ['Filling pressure too low'],
          MessageText: ['Pressure of filler 2 fell below 2.1 bar'],
          HierarchyScope: {
            EquipmentID: 'ACME',
            EquipmentElementLevel: 'Enterprise',
            HierarchyScope: {
              EquipmentID: 'Hamburg',
              EquipmentElementLevel: 'Site',
              HierarchyScope: {
                EquipmentID: 'Bottling',
                EquipmentElementLevel: 'Area',
                HierarchyScope: {
                  EquipmentID: 'Line 3',
                  EquipmentElementLevel: 'ProductionLine',
                  HierarchyScope: { EquipmentID: 'Filler-2', EquipmentElementLevel: 'WorkCell' },
                },
              },
            },
          },
          TimeStamp: '2026-11-25T11:58:00Z',
          Priority: 'high',
          Category: 'PressureLow',
          WorkAlertProperty: [
            { ID: 'WorkOrder', Value: [{ ValueString: 'WO-99' }] },
            { ID: 'Product ID', Value: [{ ValueString: 'Cola 0.5 l' }] },
            { ID: 'Pressure', Value: [{ ValueString: '2.05', DataType: 'float', UnitOfMeasure: 'bar' }] },
          ],
        },
      ],
    },
  },
}

export const CANCEL_JSON = { CancelWorkAlert: { DataArea: { Cancel: {}, WorkAlert: { ID: 'WA-4711' } } } }

const scope = (levels: readonly (readonly [id: string, level: string])[]): string => {
  const [first, ...rest] = levels
  if (first === undefined) return ''
  const [id, level] = first
  return `<HierarchyScope><EquipmentID>${id}</EquipmentID><EquipmentElementLevel>${level}</EquipmentElementLevel>${scope(rest)}</HierarchyScope>`
}

/** The same alert, of any verb. */
export function workAlertXml(verb: string, action = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<b:${verb}WorkAlert xmlns:b="http://www.mesa.org/xml/B2MML" releaseID="7.0.1">
  <b:ApplicationArea><b:CreationDateTime>2026-11-25T11:58:01Z</b:CreationDateTime></b:ApplicationArea>
  <b:DataArea>
    <b:${verb}>${action}</b:${verb}>
    <b:WorkAlert>
      <b:ID schemeID="alerts">WA-4711</b:ID>
      <b:Description languageID="en">Filling pressure too low</b:Description>
      <b:MessageText>Pressure of filler 2 fell below 2.1 bar &amp; the line stopped</b:MessageText>
      ${scope([
        ['ACME', 'Enterprise'],
        ['Hamburg', 'Site'],
        ['Bottling', 'Area'],
        ['Line 3', 'ProductionLine'],
        ['Filler-2', 'WorkCell'],
        ['Valve 1', 'EquipmentModule'],
      ])}
      <b:TimeStamp>2026-11-25T11:58:00Z</b:TimeStamp>
      <b:Priority>high</b:Priority>
      <b:Category>PressureLow</b:Category>
      <b:WorkAlertProperty><b:ID>WorkOrder</b:ID><b:Value><b:ValueString>WO-99</b:ValueString></b:Value></b:WorkAlertProperty>
      <b:WorkAlertProperty><b:ID>Pressure</b:ID><b:Value><b:ValueString>2.05</b:ValueString><b:UnitOfMeasure>bar</b:UnitOfMeasure></b:Value></b:WorkAlertProperty>
    </b:WorkAlert>
  </b:DataArea>
</b:${verb}WorkAlert>`
}
